/** Shared fault: what a channel or a shared cache failed with, as fields of a log line. */

/** Why it failed, in one word; and what an operator can do, where the error says so. */
export interface SharedFault {
  readonly reason: string;
  readonly hint?: string;
}

/** Reads `message` and `hint` of the error. Both must be free of secrets: the channel's own errors are. */
export function sharedFault(error: unknown): SharedFault {
  const { hint } = Object(error) as { readonly hint?: unknown };
  const reason = error instanceof Error ? error.message : 'unknown';
  return typeof hint === 'string' ? { reason, hint } : { reason };
}
