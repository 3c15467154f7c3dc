/** The decorators that open a route. One without any of them answers 403 to everybody. */
import { SetMetadata } from '@nestjs/common';
import { isScopeToken } from '../protocol/scope.js';
import { CLIENTS, OPENING, PERMISSIONS, type Opening } from './route-access.js';

type RouteDecorator = ClassDecorator & MethodDecorator;

const open = (opening: Opening): RouteDecorator => SetMetadata(OPENING, opening);

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
 * Open to tokens that have all of these permissions; 403 `insufficient_scope` names the first that is missing.
 * Permissions are compared whole and case-sensitively (RFC 6749 §3.3).
 */
export function RequirePermission(permission: string, ...more: readonly string[]): RouteDecorator {
  const permissions = [permission, ...more];
  const bad = permissions.find((name) => !isScopeToken(name));
  if (bad !== undefined) throw new TypeError(`@RequirePermission: ${JSON.stringify(bad)} is no scope token`);
  return SetMetadata(PERMISSIONS, permissions);
}

/**
 * Narrows an opened route to tokens that were issued to one of these clients (`azp`); others get 403
 * `client_not_allowed`, after their permission was judged. It opens nothing by itself, and it judges the token's
 * client, not the sender: who holds a stolen token of an allowed client passes.
 */
export function AllowClients(clientId: string, ...more: readonly string[]): RouteDecorator {
  return SetMetadata(CLIENTS, [clientId, ...more]);
}
