/** SessionStoreError: the session store is unavailable, so it is unknown whether a user is logged in. */
import { HttpException, HttpStatus } from '@nestjs/common';

export const SESSIONS_UNAVAILABLE = {
  error: 'Sessions are not available at the moment',
  code: 'sessions_unavailable',
} as const;

export class SessionStoreError extends HttpException {
  /** `reason`: one word. `hint`: what an operator can do, if known. */
  constructor(
    readonly reason: string,
    readonly hint?: string,
  ) {
    super({ ...SESSIONS_UNAVAILABLE }, HttpStatus.SERVICE_UNAVAILABLE);
  }

  get fields(): { readonly reason: string; readonly hint?: string } {
    const { reason, hint } = this;
    return hint === undefined ? { reason } : { reason, hint };
  }
}
