import { Controller, Get, Inject, RequestMethod, Res, VERSION_NEUTRAL, type Type } from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost } from '@nestjs/core';
import { RESOLVED_OPTIONS } from './keycloak.module-definition.js';
import type { ResolvedKeycloakOptions } from '../options/keycloak.options.js';
import { Public } from '../resource-server/access.decorators.js';
import { HandlerAccess } from '../resource-server/handler-access.js';
import {
  protectedResourceMetadata,
  type ProtectedResourceMetadata,
} from '../resource-server/protected-resource-metadata.js';
import { markHandler } from '../resource-server/route-access.js';
import { RouteReport } from '../resource-server/route-report.discovery.js';

const MAX_AGE_SECONDS = 3600;

/**
 * Each `KeycloakModule` gets a new controller class, because Nest reads the path (RFC 9728 §3) from the class. The
 * constructor sets the path, because Nest creates controllers before it creates routes.
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
      @Inject(HandlerAccess) private readonly access: HandlerAccess,
      @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
      @Inject(ApplicationConfig) config: ApplicationConfig,
    ) {
      const { metadataPath } = options.protectedResource ?? {};
      const { prototype } = ProtectedResourceController;
      // Another application in this process may have set its own route on the controller class.
      for (const key of Reflect.getMetadataKeys(prototype.read)) Reflect.deleteMetadata(key, prototype.read);
      Controller({ path: metadataPath ?? [], version: VERSION_NEUTRAL })(ProtectedResourceController);
      if (metadataPath === undefined) return;
      Get()(prototype, 'read', Object.getOwnPropertyDescriptor(prototype, 'read') ?? {});
      // The route report has skipped this handler, because the handler had no path.
      markHandler(prototype, prototype.read);
      keepOutOfPrefix(config, metadataPath);
    }

    /** Writes the answer itself, because the application's interceptors may wrap a returned answer. */
    read(@Res() response: unknown): void {
      const { httpAdapter } = this.adapterHost;
      httpAdapter.setHeader(response, 'Cache-Control', `public, max-age=${MAX_AGE_SECONDS}`);
      httpAdapter.reply(response, this.#read(), 200);
    }

    /** Creates the metadata at the first request, because all handlers are known by then. */
    #read(): ProtectedResourceMetadata | undefined {
      const { issuers, protectedResource } = this.options;
      if (protectedResource === undefined) return undefined;
      const described = {
        ...protectedResource,
        issuers: issuers.map(({ issuer }) => issuer),
        permissionsAreScopes: this.access.permissionsAreScopes,
      };
      this.#metadata ??= protectedResourceMetadata(described, this.report.guarded());
      return this.#metadata;
    }
  }
  return ProtectedResourceController;
}

/**
 * Excludes `path` from the global prefix, because a well-known path begins at the host. `path` is excluded when Nest
 * reads the prefix, because the application may change the prefix until the start.
 */
function keepOutOfPrefix(config: ApplicationConfig, path: string): void {
  const excluded = { path, pathRegex: exactly(path), requestMethod: RequestMethod.GET };
  const given = config.getGlobalPrefixOptions.bind(config);
  config.getGlobalPrefixOptions = () => {
    const options = given();
    return { ...options, exclude: [...(options.exclude ?? []), excluded] };
  };
}

/** Nest appends a slash for a handler without its own path. */
const exactly = (path: string): RegExp => new RegExp(`^${path.replaceAll(/[.~-]/g, String.raw`\$&`)}/?$`);
