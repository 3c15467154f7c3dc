import { isDeepStrictEqual } from 'node:util';
import { bindAccessCheck } from './access-check.guard.js';
import { allowedClients, type AllowedClient } from './allowed-client.js';
import { authenticationDemand, type AuthenticationRequirement } from './authentication-requirement.js';
import { markHome, markHomes, markPlace, note, WHOLE_CLASS, type AccessNote, type Opening } from './access-notes.js';
import { VERIFICATIONS, type VerificationMethod } from './verification.js';

export type RouteDecorator = ClassDecorator & MethodDecorator;

function mark<Key extends keyof AccessNote>(
  key: Key,
  value: NonNullable<AccessNote[Key]>,
  merge: (earlier: NonNullable<AccessNote[Key]>) => NonNullable<AccessNote[Key]>,
): RouteDecorator {
  return (target: object, name?: string | symbol, descriptor?: PropertyDescriptor): void => {
    if (name === undefined) {
      const { prototype } = target as { readonly prototype: object };
      note(prototype, WHOLE_CLASS, key, value, merge);
      markHomes(prototype);
      bindAccessCheck(target);
    } else if (typeof target === 'object' && typeof descriptor?.value === 'function') {
      note(target, name, key, value, merge);
      markPlace(target, name, descriptor.value as object);
      markHome(target, name, descriptor.value as object);
      bindAccessCheck(target.constructor);
    } else {
      throw new TypeError(`An access decorator belongs on a class or a method, not on ${String(name)}`);
    }
  };
}

const once = (names: string) => (): never => {
  throw new TypeError(`A route or class can have only one of ${names}`);
};

const open = (opening: Opening): RouteDecorator =>
  mark('opening', opening, once('@Public, @OptionalToken and @Authenticated'));

/**
 * Opens the route to every caller. The guard does not read the caller's token. `@Public()` can't be combined with
 * required permissions, clients or logins.
 */
export const Public = (): RouteDecorator => open('public');

/**
 * Opens the route to calls without credentials; `@Caller()` is then undefined. A call with credentials needs a valid
 * token that satisfies the other decorators.
 */
export const OptionalToken = (): RouteDecorator => open('optional');

/** Opens the route to any valid token for this service, whatever its permissions. */
export const Authenticated = (): RouteDecorator => open('authenticated');

/**
 * Opens the route to tokens that have all the given permissions. The permissions of several `@RequirePermission`
 * decorators on one route add up. The 403 `insufficient_scope` names the first missing permission. The challenge's
 * `scope` names all permissions, or none with `mapPermissions`. Permissions are compared whole and case-sensitively (RFC
 * 6749 §3.3).
 */
export function RequirePermission(permission: string, ...more: readonly string[]): RouteDecorator {
  const permissions = permissionNames('@RequirePermission', [permission, ...more]);
  return mark('permissions', permissions, (earlier) => [...new Set([...permissions, ...earlier])]);
}

/**
 * Opens the route to tokens that have at least one of the given permissions. The demands of other
 * `@RequireAnyPermission` and `@RequirePermission` decorators on the route also apply. The 403 `insufficient_scope`
 * names the first permission of the list.
 */
export function RequireAnyPermission(permission: string, ...more: readonly string[]): RouteDecorator {
  const anyOf = permissionNames('@RequireAnyPermission', [permission, ...more]);
  const isAnyOf = (other: readonly string[]): boolean => isDeepStrictEqual(other, anyOf);
  return mark('anyOf', [anyOf], (earlier) => (earlier.some(isAnyOf) ? earlier : [anyOf, ...earlier]));
}

function permissionNames(decorator: string, names: readonly unknown[]): readonly string[] {
  for (const name of names) {
    if (typeof name === 'string' && name.trim() !== '' && !/\p{Cc}/u.test(name)) continue;
    throw new TypeError(`${decorator}: ${JSON.stringify(name)} is not a valid permission name`);
  }
  return names as readonly string[];
}

/**
 * Restricts an opened route to tokens of the given clients (`azp`); tokens of other clients get 403
 * `client_not_allowed`. The guard checks the permissions first. It does not check who sends the token,
 * so a thief with an allowed client's token passes. `@AllowClients` does not open a route.
 *
 * A plain client id belongs to this service's own issuer (the first issuer). `{ issuer, clientId }` names a client of
 * another issuer. Throws `TypeError` for a value that does not name a client. The application does not start if the
 * issuer is unknown.
 */
export function AllowClients(client: AllowedClient, ...more: readonly AllowedClient[]): RouteDecorator {
  return mark('clients', allowedClients([client, ...more]), once('@AllowClients'));
}

/**
 * Opens the route to tokens of a strong (`acr`) and recent login (`maxAgeSeconds`). If another decorator opens the
 * route, `@RequireStepUp` restricts the route. A weaker or older login, or a missing claim, gets 401
 * `insufficient_user_authentication`. The challenge contains the requirement (RFC 9470 §3). The guard checks the login
 * after the permissions and the client. Keycloak gives a service's own token `acr` 1 and no `auth_time`.
 *
 * Throws `TypeError` for an empty requirement, an invalid `acr`, or a negative or fractional `maxAgeSeconds`.
 */
export function RequireStepUp(requirement: AuthenticationRequirement): RouteDecorator {
  return mark('authentication', authenticationDemand('@RequireStepUp', requirement), once('@RequireStepUp'));
}

/**
 * Limits the age of the introspection result (seconds; 0: introspect each request). Default and maximum:
 * `introspectionTtlSeconds`, or `introspectionTtlWithEventsSeconds` while the signal feed is healthy. The route
 * introspects tokens even if `verification` or `@TokenVerification` selects `jwt`.
 */
export function MaxIntrospectionAge({ seconds }: { readonly seconds: number }): RouteDecorator {
  if (!(seconds >= 0)) throw new TypeError('@MaxIntrospectionAge: seconds must be a number of at least 0');
  return mark('maxStalenessSeconds', seconds, once('@MaxIntrospectionAge'));
}

/**
 * Sets how the guard verifies tokens at this route, in place of `forRoot({ verification })`. `@TokenVerification` does
 * not open a route. `introspection` on a base class or `@MaxIntrospectionAge()` on the route takes precedence.
 *
 * `jwt` needs `forRoot({ jwt })`. With `jwt`, the route accepts revoked tokens and tokens of disabled users until
 * expiry or a denial (`RevocationList`).
 */
export function TokenVerification(verification: VerificationMethod): RouteDecorator {
  if (!VERIFICATIONS.includes(verification)) {
    throw new TypeError(`@TokenVerification: ${JSON.stringify(verification)} is neither 'introspection' nor 'jwt'`);
  }
  return mark('verification', verification, once('@TokenVerification'));
}

/**
 * Names the scopes of an HTTP route in its 401 challenges (RFC 6750 §3), so that a client can request them at its first
 * login. The scopes are all permissions, and the first of each `@RequireAnyPermission`. Names no scope if the option
 * `mapPermissions` replaces the scopes of tokens. `@ChallengeScopes` does not open a route, and changes no access.
 */
export const ChallengeScopes = (): RouteDecorator => mark('challengesScopes', true, () => true);

/**
 * Marks an HTTP handler that writes a long response itself, with `@Res()`. The guard closes the connection as for
 * `@Sse()`: at once when the token expires or is denied, and within `introspectionTtlSeconds` plus one second when
 * Keycloak reports the token as inactive. `@LongLivedResponse` does not open a route.
 */
export const LongLivedResponse = (): RouteDecorator => mark('isLongLived', true, () => true);
