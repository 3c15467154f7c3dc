import { applyDecorators, Controller, Inject, Post, Req, Res, VERSION_NEUTRAL, type Type } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { Public } from '../../index.js';
import type { BackchannelLogoutOptions } from './backchannel-logout.options.js';
import { LogoutNotices, type NoticeOutcome } from './logout-notices.js';

/**
 * The response bodies follow RFC 6749 §5.2, as OpenID Connect Back-Channel Logout 1.0 §2.8 requires, and contain no
 * reason that could help an attacker.
 */
const BODIES = {
  refused: { error: 'invalid_request', error_description: 'The logout token is not valid' },
  unavailable: {
    error: 'temporarily_unavailable',
    error_description: 'The logout failed, in part or in full',
  },
} as const;

const STATUS = { taken: 200, refused: 400, unavailable: 503 } as const;

export function backchannelLogoutController({ path, decorators }: Required<BackchannelLogoutOptions>): Type {
  @Controller({ path, version: VERSION_NEUTRAL })
  class BackchannelLogoutController {
    constructor(
      @Inject(LogoutNotices) private readonly notices: LogoutNotices,
      @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
    ) {}

    /** No pipe or interceptor may change the request or the response, because the specification prescribes both. */
    @Post()
    @Public()
    @applyDecorators(...decorators)
    async logout(@Req() request: { readonly body?: unknown }, @Res() response: unknown): Promise<void> {
      this.#answer(response, await this.notices.take(logoutTokenIn(request.body)));
    }

    #answer(response: unknown, outcome: NoticeOutcome): void {
      const { httpAdapter } = this.adapterHost;
      httpAdapter.setHeader(response, 'Cache-Control', 'no-store');
      if (outcome.kind === 'unavailable') {
        httpAdapter.setHeader(response, 'Retry-After', String(outcome.retryAfterSeconds));
      }
      httpAdapter.reply(response, outcome.kind === 'taken' ? '' : BODIES[outcome.kind], STATUS[outcome.kind]);
    }
  }
  return BackchannelLogoutController;
}

function logoutTokenIn(body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'logout_token' in body ? body.logout_token : undefined;
}
