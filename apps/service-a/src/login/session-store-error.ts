/** SessionStoreError: the session store can't be asked, so nobody can be said to be logged in, or not to be. */
import { HttpException, HttpStatus } from '@nestjs/common';

/** The body on the wire. */
export const SESSIONS_UNAVAILABLE = {
  error: 'Sessions are not available at the moment',
  code: 'sessions_unavailable',
} as const;

export class SessionStoreError extends HttpException {
  /** `reason`: one word. `hint`: what an operator can do, where that is known. */
  constructor(
    readonly reason: string,
    readonly hint?: string,
  ) {
    super({ ...SESSIONS_UNAVAILABLE }, HttpStatus.SERVICE_UNAVAILABLE);
  }

  /** For a log line. */
  get fields(): { readonly reason: string; readonly hint?: string } {
    const { reason, hint } = this;
    return hint === undefined ? { reason } : { reason, hint };
  }
}
