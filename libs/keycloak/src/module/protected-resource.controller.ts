import {
  Controller,
  Get,
  Inject,
  NotFoundException,
  Req,
  RequestMethod,
  Res,
  VERSION_NEUTRAL,
  type Type,
} from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { RESOLVED_OPTIONS } from './keycloak.module-definition.js';
import type { ResolvedKeycloakOptions } from '../options/keycloak.options.js';
import type { ProtectedResource } from '../options/protected-resource.options.js';
import { Public } from '../resource-server/access.decorators.js';
import { HandlerAccess } from '../resource-server/handler-access.js';
import {
  protectedResourceMetadata,
  resourceAt,
  type ProtectedResourceMetadata,
} from '../resource-server/protected-resource-metadata.js';
import { routePathOf } from '../resource-server/request-description.js';
import { markHandler } from '../resource-server/route-access.js';
import { routePathsOf } from '../resource-server/route-paths.discovery.js';
import { RouteReport, type ReportedHandler } from '../resource-server/route-report.discovery.js';

const MAX_AGE_SECONDS = 3600;

/**
 * Each `KeycloakModule` gets a new controller class, because Nest reads the paths (RFC 9728 §3) from the class. The
 * constructor sets the paths, because Nest creates controllers before it creates routes.
 */
export function protectedResourceController(): Type {
  // A controller without a path has no routes, and no line in Nest's log.
  @Public()
  @Controller([])
  class ProtectedResourceController {
    readonly #metadata = new Map<ProtectedResource, ProtectedResourceMetadata>();

    constructor(
      @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedKeycloakOptions,
      @Inject(RouteReport) private readonly report: RouteReport,
      @Inject(HandlerAccess) private readonly access: HandlerAccess,
      @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
      @Inject(ApplicationConfig) private readonly config: ApplicationConfig,
      @Inject(ModulesContainer) private readonly modules: ModulesContainer,
    ) {
      const paths = options.protectedResource.map(({ metadataPath }) => metadataPath);
      const { prototype } = ProtectedResourceController;
      // Another application in this process may have set its own route on the controller class.
      for (const key of Reflect.getMetadataKeys(prototype.read)) Reflect.deleteMetadata(key, prototype.read);
      Controller({ path: paths, version: VERSION_NEUTRAL })(ProtectedResourceController);
      if (paths.length === 0) return;
      Get()(prototype, 'read', Object.getOwnPropertyDescriptor(prototype, 'read') ?? {});
      // The route report has skipped this handler, because the handler had no path.
      markHandler(prototype, prototype.read);
      keepOutOfPrefix(config, paths);
    }

    /** Writes the answer itself, because the application's interceptors may wrap a returned answer. */
    read(@Req() request: object, @Res() response: unknown): void {
      const path = routePathOf(request);
      const resource = this.options.protectedResource.find(({ metadataPath }) => metadataPath === path);
      if (resource === undefined) throw new NotFoundException();
      const { httpAdapter } = this.adapterHost;
      httpAdapter.setHeader(response, 'Cache-Control', `public, max-age=${MAX_AGE_SECONDS}`);
      httpAdapter.reply(response, this.#read(resource), 200);
    }

    /** Creates the metadata at the first request, because all handlers are known by then. */
    #read(resource: ProtectedResource): ProtectedResourceMetadata {
      const known = this.#metadata.get(resource);
      if (known !== undefined) return known;
      const described = {
        ...resource,
        issuers: this.options.issuers.map(({ issuer }) => issuer),
        permissionsAreScopes: this.access.permissionsAreScopes,
      };
      const handlers = this.report.guarded().filter((handler) => this.#belongs(handler, resource));
      const metadata = protectedResourceMetadata(described, handlers);
      this.#metadata.set(resource, metadata);
      return metadata;
    }

    /** Handlers outside of HTTP have no path, so they belong to every resource. */
    #belongs({ route }: ReportedHandler, resource: ProtectedResource): boolean {
      if (route === undefined) return true;
      const paths = routePathsOf(route, this.config, this.modules);
      return paths.some((path) => resourceAt(this.options.protectedResource, path) === resource);
    }
  }
  return ProtectedResourceController;
}

/**
 * Excludes `paths` from the global prefix, because a well-known path begins at the host. `paths` are excluded when Nest
 * reads the prefix, because the application may change the prefix until the start.
 */
function keepOutOfPrefix(config: ApplicationConfig, paths: readonly string[]): void {
  const excluded = paths.map((path) => ({ path, pathRegex: exactly(path), requestMethod: RequestMethod.GET }));
  const given = config.getGlobalPrefixOptions.bind(config);
  config.getGlobalPrefixOptions = () => {
    const options = given();
    return { ...options, exclude: [...(options.exclude ?? []), ...excluded] };
  };
}

/** Nest appends a slash for a handler without its own path. */
const exactly = (path: string): RegExp => new RegExp(`^${path.replaceAll(/[.~-]/g, String.raw`\$&`)}/?$`);
