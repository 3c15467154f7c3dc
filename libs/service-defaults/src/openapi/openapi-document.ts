/** OpenApiDocument: what an application has, as JSON, made when somebody first asks. */
import type { INestApplication } from '@nestjs/common';
import type { DescribedService } from './describe-routes.js';

/** A service whose document nobody reads loads nothing for it. */
export class OpenApiDocument {
  #make = (): Promise<string> => Promise.reject(new Error('No application is described yet'));
  #made: Promise<string> | undefined;

  describe(app: INestApplication, service: DescribedService): void {
    this.#make = async () => {
      const { describeRoutes } = await import('./describe-routes.js');
      return JSON.stringify(describeRoutes(app, service));
    };
  }

  /** Rejects as `addKeycloakSecurity()` throws, where a route would be without its demands. */
  json(): Promise<string> {
    return (this.#made ??= this.#make());
  }
}
