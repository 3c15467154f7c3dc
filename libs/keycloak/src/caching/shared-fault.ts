export interface SharedFault {
  readonly reason: string;
  readonly hint?: string;
}

/** Copies the error's `message` and `hint`, so both must be free of secrets. */
export function sharedFault(error: unknown): SharedFault {
  const { hint } = Object(error) as { readonly hint?: unknown };
  const reason = error instanceof Error ? error.message : 'unknown';
  return typeof hint === 'string' ? { reason, hint } : { reason };
}
