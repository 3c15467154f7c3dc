/** The decorators that open a route. One without any of them answers 403 to everybody. */
import 'reflect-metadata';
import { isScopeToken } from '../protocol/scope.js';
import { CLIENTS, MAX_STALENESS, OPENING, PERMISSIONS, type Opening } from './route-access.js';

export type RouteDecorator = ClassDecorator & MethodDecorator;

/** Marks a handler or class; `merge` says what a second mark of the kind on the same target comes to. */
function mark<T>(key: symbol, value: T, merge: (earlier: T) => T): RouteDecorator {
  return (target: object, _name?: string | symbol, descriptor?: PropertyDescriptor): void => {
    const marked = (descriptor?.value ?? target) as object;
    const earlier = Reflect.getOwnMetadata(key, marked) as T | undefined;
    Reflect.defineMetadata(key, earlier === undefined ? value : merge(earlier), marked);
  };
}

const once = (names: string) => (): never => {
  throw new TypeError(`Only one of ${names} can stand on a route or class`);
};

const open = (opening: Opening): RouteDecorator =>
  mark(OPENING, opening, once('@Public, @OptionalToken and @Authenticated'));

/** Open to everybody; a token is never looked at. For probes and pages. Can't stand with a demand on a token. */
export const Public = (): RouteDecorator => open('public');

/**
 * Open without credentials, and judged like any other route as soon as some are sent: a bad token is refused, never
 * treated as none. `@AccessToken()` is then the token or undefined. With `@RequirePermission()` a token that is sent
 * must have the permission.
 */
export const OptionalToken = (): RouteDecorator => open('optional');

/** Open to any token that is valid for this service, whatever its permissions. */
export const Authenticated = (): RouteDecorator => open('authenticated');

/**
 * Open to tokens that have all of these permissions, and all of any other `@RequirePermission` beside it; 403 `insufficient_scope` names the first that is missing.
 * Permissions are compared whole and case-sensitively (RFC 6749 §3.3).
 */
export function RequirePermission(permission: string, ...more: readonly string[]): RouteDecorator {
  const permissions = [permission, ...more];
  const bad = permissions.find((name) => !isScopeToken(name));
  if (bad !== undefined) throw new TypeError(`@RequirePermission: ${JSON.stringify(bad)} is no scope token`);
  return mark<readonly string[]>(PERMISSIONS, permissions, (earlier) => [...permissions, ...earlier]);
}

/**
 * Narrows an opened route to tokens that were issued to one of these clients (`azp`); others get 403
 * `client_not_allowed`, after their permission was judged. It opens nothing by itself, and it judges the token's
 * client, not the sender: who holds a stolen token of an allowed client passes.
 */
export function AllowClients(clientId: string, ...more: readonly string[]): RouteDecorator {
  return mark<readonly string[]>(CLIENTS, [clientId, ...more], once('@AllowClients'));
}

/**
 * How old the authorization server's word on a token may be at this route; at most the module's `introspectionTtlSeconds`,
 * which is the default. 0 asks now, for every request: for what must not be done with a token that was just revoked.
 */
export function MaxStaleness({ seconds }: { readonly seconds: number }): RouteDecorator {
  if (!(seconds >= 0)) throw new TypeError('@MaxStaleness: seconds must be a number from 0');
  return mark(MAX_STALENESS, seconds, once('@MaxStaleness'));
}
