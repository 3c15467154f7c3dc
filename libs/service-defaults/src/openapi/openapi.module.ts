/** OpenApiModule: the routes that say in OpenAPI what a service has. */
import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { OpenApiDocument } from './openapi-document.js';
import { OpenApiPageController } from './openapi-page.controller.js';
import { OpenApiController } from './openapi.controller.js';

export interface OpenApiSettings {
  /** Whether there is a page that shows the document, and sends requests by it. */
  readonly hasPage: boolean;
}

@Module({ controllers: [OpenApiController], providers: [OpenApiDocument] })
export class OpenApiModule {
  /** A root module of a service with these routes beside its own: after it, since Nest runs the guards of modules in import order. */
  static beside(service: Type | DynamicModule, { hasPage }: OpenApiSettings): DynamicModule {
    const routes = { module: OpenApiModule, controllers: hasPage ? [OpenApiPageController] : [] };
    return { module: DescribedService, imports: [service, routes] };
  }
}

@Module({})
class DescribedService {}
