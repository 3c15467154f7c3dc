import { isScopeToken } from '../protocol/scope.js';
import { resourceAt } from './protected-resource-metadata.js';
import { routePathOf } from './request-description.js';
import type { RequestAdapter } from './request.adapter.js';
import { routeAccess } from './route-access.js';

/** The demands of a handler's access decorators, including the demands of its class and its base classes. */
export interface HandlerDemands {
  readonly opening: 'authenticated' | 'closed' | 'optional' | 'public';
  readonly permissions: readonly string[];
  /** The token needs at least one permission of each list. */
  readonly anyOf: readonly (readonly string[])[];
  /**
   * The scopes that a client should request: all `permissions`, and the first of each `anyOf` list. Empty if the option
   * `mapPermissions` replaces the scopes of tokens. Omits names that are not scope tokens (RFC 6749 §3.3).
   */
  readonly scopes: readonly string[];
}

interface PlacedResource {
  readonly path: string;
  readonly metadataUrl: string;
}

/**
 * Tells other packages what the decorators of a handler demand. `KeycloakModule` provides it. It checks no token and
 * admits no call: only the guard does.
 */
export class HandlerAccess {
  /** False if the option `mapPermissions` of an issuer replaces the scopes of its tokens. */
  readonly permissionsAreScopes: boolean;
  /** The adapters of the option `requestAdapters`. A package that needs its adapter can look for it here. */
  readonly requestAdapters: readonly RequestAdapter[];
  readonly #resources: readonly PlacedResource[];

  constructor(options: {
    readonly issuers: readonly { readonly mapPermissions: unknown }[];
    readonly protectedResource: readonly PlacedResource[];
    readonly requestAdapters: readonly RequestAdapter[];
  }) {
    this.permissionsAreScopes = options.issuers.every(({ mapPermissions }) => mapPermissions === undefined);
    this.requestAdapters = options.requestAdapters;
    this.#resources = options.protectedResource;
  }

  /**
   * `controller` is the class and `handler` the method, as `getClass()` and `getHandler()` of Nest's `ExecutionContext`
   * return them. A handler that the guard can't identify is `closed`.
   */
  of(controller: object, handler: object): HandlerDemands {
    const { opening, permissions, anyOf } = routeAccess(controller, handler);
    return {
      opening,
      permissions,
      anyOf,
      scopes: this.#scopesOf([...permissions, ...anyOf.flatMap(([first]) => first ?? [])]),
    };
  }

  #scopesOf(demanded: readonly string[]): readonly string[] {
    return this.permissionsAreScopes ? [...new Set(demanded)].filter(isScopeToken) : [];
  }

  /**
   * Returns the metadata URL that challenges of the request's route name (RFC 9728 §5.1), or undefined if the route
   * belongs to no `protectedResource`. `request` is the request that Nest passes to the controller.
   */
  metadataUrlOf(request: object): string | undefined {
    return resourceAt(this.#resources, routePathOf(request))?.metadataUrl;
  }
}
