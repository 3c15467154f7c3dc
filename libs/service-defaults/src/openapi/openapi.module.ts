/** OpenApiModule: the routes that say in OpenAPI what a service has. */
import { Module, type DynamicModule } from '@nestjs/common';
import { OpenApiDocument } from './openapi-document.js';
import { OpenApiPageController } from './openapi-page.controller.js';
import { OpenApiController } from './openapi.controller.js';

export interface OpenApiSettings {
  /** Whether there is a page that shows the document, and sends requests by it. */
  readonly hasPage: boolean;
}

@Module({ controllers: [OpenApiController], providers: [OpenApiDocument] })
export class OpenApiModule {
  static register({ hasPage }: OpenApiSettings): DynamicModule {
    return { module: OpenApiModule, controllers: hasPage ? [OpenApiPageController] : [] };
  }
}
