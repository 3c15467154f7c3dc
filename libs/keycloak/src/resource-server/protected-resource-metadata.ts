import { isScopeToken } from '../protocol/scope.js';
import type { RouteAccess } from './route-access.js';

export interface ProtectedResourceMetadata {
  readonly resource: string;
  readonly authorization_servers: readonly string[];
  readonly bearer_methods_supported: readonly ['header'];
  readonly scopes_supported?: readonly string[];
  readonly resource_name?: string;
  readonly resource_documentation?: string;
}

export interface DescribedResource {
  readonly issuers: readonly string[];
  readonly resource: string;
  readonly resourceName?: string | undefined;
  readonly resourceDocumentation?: string | undefined;
  readonly permissionsAreScopes: boolean;
}

/**
 * `resources` must begin with the longest path. Compares with the pattern of the route and not with the URL, which the
 * caller chooses.
 */
export const resourceAt = <R extends { readonly path: string }>(resources: readonly R[], route = ''): R | undefined =>
  resources.find(({ path }) => path === '' || route === path || route.startsWith(`${path}/`));

/** A parameter that has no value is omitted (RFC 9728 §3.2). */
export function protectedResourceMetadata(
  { issuers, resource, resourceName, resourceDocumentation, permissionsAreScopes }: DescribedResource,
  handlers: readonly Pick<RouteAccess, 'opening' | 'permissions' | 'anyOf'>[],
): ProtectedResourceMetadata {
  const open = permissionsAreScopes ? handlers.filter(({ opening }) => opening !== 'closed') : [];
  const demanded = open.flatMap(({ permissions, anyOf }) => [...permissions, ...anyOf.flat()]);
  const scopes = [...new Set(demanded)].filter(isScopeToken).toSorted();
  return {
    resource,
    authorization_servers: issuers,
    bearer_methods_supported: ['header'],
    ...(scopes.length === 0 ? {} : { scopes_supported: scopes }),
    ...(resourceName === undefined ? {} : { resource_name: resourceName }),
    ...(resourceDocumentation === undefined ? {} : { resource_documentation: resourceDocumentation }),
  };
}
