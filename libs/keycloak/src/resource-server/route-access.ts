/** Route access: what a route's decorators say about who may call it. Closed when they say nothing. */
import 'reflect-metadata';

/** How a route treats a token: never looks, judges one if sent, or demands one. */
export type Opening = 'public' | 'optional' | 'authenticated';

export interface RouteAccess {
  readonly opening: Opening | 'closed';
  /** All of them are demanded of a token. */
  readonly permissions: readonly string[];
  /** When not empty: the token must have been issued to one of them. */
  readonly clients: readonly string[];
  /** How old an introspection answer may be; undefined for what the module says. */
  readonly maxStalenessSeconds: number | undefined;
}

export const OPENING = Symbol('nestjs-keycloak-s2s:opening');
export const PERMISSIONS = Symbol('nestjs-keycloak-s2s:permissions');
export const MAX_STALENESS = Symbol('nestjs-keycloak-s2s:max-staleness');
export const CLIENTS = Symbol('nestjs-keycloak-s2s:clients');

/**
 * A handler's own decorators replace those of its class: opening and permissions together, clients apart, and staleness. Those of a base
 * class are not inherited: a derived controller is closed until it says something itself. A demanded permission opens the
 * route to those who have it; allowed clients alone open nothing.
 */
export function routeAccess(controller: object, handler: object): RouteAccess {
  const known = knownAccess.get(handler);
  if (known?.controller === controller) return known.access;
  const access = readAccess(controller, handler);
  knownAccess.set(handler, { controller, access });
  return access;
}

/** By handler: decorators have said all they say when a class is defined. A handler that is inherited has several controllers. */
const knownAccess = new WeakMap<object, { readonly controller: object; readonly access: RouteAccess }>();

function readAccess(controller: object, handler: object): RouteAccess {
  const says = (target: object): boolean =>
    Reflect.hasOwnMetadata(OPENING, target) || Reflect.hasOwnMetadata(PERMISSIONS, target);
  const source = says(handler) ? handler : controller;
  const opening = Reflect.getOwnMetadata(OPENING, source) as Opening | undefined;
  const permissions = (Reflect.getOwnMetadata(PERMISSIONS, source) as readonly string[] | undefined) ?? [];
  const own = (key: symbol): unknown => Reflect.getOwnMetadata(key, handler) ?? Reflect.getOwnMetadata(key, controller);
  return {
    opening: opening ?? (permissions.length > 0 ? 'authenticated' : 'closed'),
    permissions,
    clients: (own(CLIENTS) as readonly string[] | undefined) ?? [],
    maxStalenessSeconds: own(MAX_STALENESS) as number | undefined,
  };
}

/** Why these decorators can't stand together, if they can't. */
export function contradiction({ opening, permissions, clients }: RouteAccess): string | undefined {
  if (opening === 'public' && permissions.length > 0)
    return '@Public() never looks at a token that @RequirePermission() needs';
  if (opening === 'public' && clients.length > 0) return '@Public() never looks at a token that @AllowClients() needs';
  return undefined;
}
