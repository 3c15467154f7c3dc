/** `hint` says what the operator can do. */
export interface SharedFault {
  readonly reason: string;
  readonly hint?: string;
}

/** Copies the `message` and the `hint` of the error, which must contain no secrets. */
export function sharedFault(error: unknown): SharedFault {
  const { hint } = Object(error) as { readonly hint?: unknown };
  const reason = error instanceof Error ? error.message : 'unknown';
  return typeof hint === 'string' ? { reason, hint } : { reason };
}
