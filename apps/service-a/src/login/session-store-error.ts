import { HttpException, HttpStatus } from '@nestjs/common';

export const SESSIONS_UNAVAILABLE = {
  error: 'Sessions are not available at the moment',
  code: 'sessions_unavailable',
} as const;

export class SessionStoreError extends HttpException {
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
