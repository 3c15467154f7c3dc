import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { showPageInstead } from '../pages/page-hook.js';
import { Pages } from '../pages/pages.js';
import { CROSS_SITE } from './csrf.guard.js';

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
