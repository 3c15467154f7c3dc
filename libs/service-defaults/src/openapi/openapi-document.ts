import type { INestApplication } from '@nestjs/common';
import type { DescribedService } from './describe-routes.js';

/** The first request for the document loads @nestjs/swagger. */
export class OpenApiDocument {
  #make = (): Promise<string> => Promise.reject(new Error('No application is described yet'));
  #made: Promise<string> | undefined;

  describe(app: INestApplication, service: DescribedService): void {
    this.#make = async () => {
      const { describeRoutes } = await import('./describe-routes.js');
      return JSON.stringify(describeRoutes(app, service));
    };
  }

  json(): Promise<string> {
    return (this.#made ??= this.#make());
  }
}
