/** Protected resource controller: serves the metadata of a service to everybody, where the option `protectedResource` says so (RFC 9728 §3). */
import { Controller, Get, Inject, RequestMethod, Res, VERSION_NEUTRAL, type Type } from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost } from '@nestjs/core';
import { RESOLVED_OPTIONS } from './keycloak.module-definition.js';
import type { ResolvedKeycloakOptions } from '../options/keycloak.options.js';
import { Public } from '../resource-server/access.decorators.js';
import {
  protectedResourceMetadata,
  type ProtectedResourceMetadata,
} from '../resource-server/protected-resource-metadata.js';
import { markHandler } from '../resource-server/route-access.js';
import { RouteReport } from '../resource-server/route-report.discovery.js';

/** They change when the service is deployed. */
const MAX_AGE_SECONDS = 3600;

/**
 * A class of its own for each application, since where it is served stands on the class, and is known when the options are: as late as Nest
 * makes the controller, and before it makes routes. Without the option it has no route.
 */
export function protectedResourceController(): Type {
  // A controller without a path has no routes, and no line in Nest's log.
  @Public()
  @Controller([])
  class ProtectedResourceController {
    #metadata: ProtectedResourceMetadata | undefined;

    constructor(
      @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedKeycloakOptions,
      @Inject(RouteReport) private readonly report: RouteReport,
      @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
      @Inject(ApplicationConfig) config: ApplicationConfig,
    ) {
      const { metadataPath } = options.protectedResource ?? {};
      const { prototype } = ProtectedResourceController;
      // Another application of this process may have been made of the same module, and have left its route on the class.
      for (const key of Reflect.getMetadataKeys(prototype.read)) Reflect.deleteMetadata(key, prototype.read);
      Controller({ path: metadataPath ?? [], version: VERSION_NEUTRAL })(ProtectedResourceController);
      if (metadataPath === undefined) return;
      Get()(prototype, 'read', Object.getOwnPropertyDescriptor(prototype, 'read') ?? {});
      // As the report marks all handlers that were there when it was made.
      markHandler(prototype, prototype.read);
      keepOutOfPrefix(config, metadataPath);
    }

    /** Past the interceptors of the application, which may put other answers into an envelope. */
    read(@Res() response: unknown): void {
      const { httpAdapter } = this.adapterHost;
      httpAdapter.setHeader(response, 'Cache-Control', `public, max-age=${MAX_AGE_SECONDS}`);
      httpAdapter.reply(response, this.#read(), 200);
    }

    /** All handlers are known when the first request comes. */
    #read(): ProtectedResourceMetadata | undefined {
      const { issuers, protectedResource } = this.options;
      if (protectedResource === undefined) return undefined;
      const described = {
        ...protectedResource,
        issuers: issuers.map(({ issuer }) => issuer),
        permissionsAreScopes: issuers.every(({ mapPermissions: permissions }) => permissions === undefined),
      };
      this.#metadata ??= protectedResourceMetadata(described, this.report.guarded());
      return this.#metadata;
    }
  }
  return ProtectedResourceController;
}

/** A well-known path begins at the host. The application sets its prefix, and what has none, at any time before it starts; Nest asks here. */
function keepOutOfPrefix(config: ApplicationConfig, path: string): void {
  const excluded = { path, pathRegex: exactly(path), requestMethod: RequestMethod.GET };
  const given = config.getGlobalPrefixOptions.bind(config);
  config.getGlobalPrefixOptions = () => {
    const options = given();
    return { ...options, exclude: [...(options.exclude ?? []), excluded] };
  };
}

/** Nest asks for a handler without a path of its own with a slash behind that of its controller. */
const exactly = (path: string): RegExp => new RegExp(`^${path.replaceAll(/[.~-]/g, String.raw`\$&`)}/?$`);
