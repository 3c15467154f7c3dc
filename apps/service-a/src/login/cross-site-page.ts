/** CrossSitePage: a browser whose form is refused gets a page that says why; other callers get JSON. */
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { showPageInstead } from '../pages/page-hook.js';
import { Pages } from '../pages/pages.js';
import { CROSS_SITE } from './csrf.guard.js';

/** By a hook, since the guard is before every route. It is seldom an attack: a user who has logged in anew in another tab has forms of the session before in this one. */
@Injectable()
export class CrossSitePage implements OnModuleInit {
  readonly #body = JSON.stringify(CROSS_SITE);

  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly pages: Pages,
  ) {}

  onModuleInit(): void {
    showPageInstead(this.adapterHost, this.pages, (_request, _reply, payload) =>
      payload === this.#body ? { template: 'cross-site', model: {} } : undefined,
    );
  }
}
