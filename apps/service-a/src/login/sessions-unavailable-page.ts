import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { showPageInstead } from '../pages/page-hook.js';
import { Pages } from '../pages/pages.js';
import { SESSIONS_UNAVAILABLE } from './session-store-error.js';

const RETRY_AFTER_SECONDS = '1';

/** The page is rendered in a hook, since any route may need a session. */
@Injectable()
export class SessionsUnavailablePage implements OnModuleInit {
  readonly #body = JSON.stringify(SESSIONS_UNAVAILABLE);

  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly pages: Pages,
  ) {}

  onModuleInit(): void {
    showPageInstead(this.adapterHost, this.pages, (_, reply, payload) => {
      if (payload !== this.#body) return undefined;
      reply.header('Retry-After', RETRY_AFTER_SECONDS);
      return { template: 'sessions-unavailable', model: {} };
    });
  }
}
