import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { showPageInstead } from './page-hook.js';
import { Pages } from './pages.js';

@Injectable()
export class NotFoundPage implements OnModuleInit {
  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly pages: Pages,
  ) {}

  onModuleInit(): void {
    showPageInstead(this.adapterHost, this.pages, ({ is404 }, { statusCode }) =>
      is404 && statusCode === 404 ? { template: 'not-found', model: {} } : undefined,
    );
  }
}
