/** The decorators that open a route. One without any of them answers 403 to everybody. */
import { isDeepStrictEqual } from 'node:util';
import { bindAccessCheck } from './access-check.guard.js';
import { allowedClients, type AllowedClient } from './allowed-client.js';
import { authenticationDemand, type AuthenticationRequirement } from './authentication-requirement.js';
import { markHome, markHomes, markPlace, note, WHOLE_CLASS, type AccessNote, type Opening } from './access-notes.js';
import { VERIFICATIONS, type VerificationMethod } from './verification.js';

export type RouteDecorator = ClassDecorator & MethodDecorator;

/** Marks a handler or class; `merge` combines it with an earlier mark of the same kind on the same target. */
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
      throw new TypeError(`An access decorator stands on a class or on a method, and ${String(name)} is neither`);
    }
  };
}

const once = (names: string) => (): never => {
  throw new TypeError(`Only one of ${names} can stand on a route or class`);
};

const open = (opening: Opening): RouteDecorator =>
  mark('opening', opening, once('@Public, @OptionalToken and @Authenticated'));

/** Open to everybody; a token is never looked at. For probes and pages. Can't stand with a demand on a token. */
export const Public = (): RouteDecorator => open('public');

/**
 * Open without credentials, and judged like any other route as soon as some are sent: a bad token is refused, never
 * treated as none. `@Caller()` is then the token or undefined. With `@RequirePermission()` a token that is sent
 * must have the permission.
 */
export const OptionalToken = (): RouteDecorator => open('optional');

/** Open to any token that is valid for this service, whatever its permissions. */
export const Authenticated = (): RouteDecorator => open('authenticated');

/**
 * Open to tokens that have all of these permissions, and all permissions of any other `@RequirePermission` beside it. The 403
 * `insufficient_scope` names the first permission that is missing. Its challenge names all permissions (`scope`).
 *
 * Permissions are compared whole and case-sensitively (RFC 6749 §3.3). Where they are roles, they are their names, with blanks and umlauts.
 */
export function RequirePermission(permission: string, ...more: readonly string[]): RouteDecorator {
  const permissions = permissionNames('@RequirePermission', [permission, ...more]);
  return mark('permissions', permissions, (earlier) => [...new Set([...permissions, ...earlier])]);
}

/**
 * Open to tokens that have at least one of these permissions, and one of each other `@RequireAnyPermission` beside it, beside what
 * `@RequirePermission` demands; 403 `insufficient_scope` names the first of them.
 */
export function RequireAnyPermission(permission: string, ...more: readonly string[]): RouteDecorator {
  const anyOf = permissionNames('@RequireAnyPermission', [permission, ...more]);
  const isAnyOf = (other: readonly string[]): boolean => isDeepStrictEqual(other, anyOf);
  return mark('anyOf', [anyOf], (earlier) => (earlier.some(isAnyOf) ? earlier : [anyOf, ...earlier]));
}

/** Scope tokens, or names of roles as the realm has them: with blanks and letters of any alphabet. */
function permissionNames(decorator: string, names: readonly unknown[]): readonly string[] {
  for (const name of names) {
    if (typeof name === 'string' && name.trim() !== '' && !/\p{Cc}/u.test(name)) continue;
    throw new TypeError(`${decorator}: ${JSON.stringify(name)} is no name of a permission`);
  }
  return names as readonly string[];
}

/**
 * Narrows an opened route to tokens that were issued to one of these clients (`azp`); others get 403
 * `client_not_allowed`, after their permission was judged. It opens nothing by itself, and it judges the token's
 * client, not the sender: who holds a stolen token of an allowed client passes.
 *
 * An id alone names a client of this service's own issuer, which is the first of several; `{ issuer, clientId }` names one of another.
 * Throws `TypeError` for what names no client. An issuer that the module does not have stops the start.
 */
export function AllowClients(client: AllowedClient, ...more: readonly AllowedClient[]): RouteDecorator {
  return mark('clients', allowedClients([client, ...more]), once('@AllowClients'));
}

/**
 * Open to tokens whose user has logged in so strongly (`acr`) or recently (`maxAgeSeconds`); beside a decorator that opens the route it narrows that.
 * Others get 401 `insufficient_user_authentication`, with what is demanded in the challenge (RFC 9470 §3), after permission and client
 * were judged: so a login is all that they lack. A token without the claim is refused.
 *
 * With `@OptionalToken()` it holds for a token that is sent. A call of a service in its own name has no login, and never passes.
 *
 * Throws `TypeError` for neither of both, for an `acr` that is no word of printable ASCII, and for a `maxAgeSeconds` that is no integer from 0.
 */
export function RequireStepUp(requirement: AuthenticationRequirement): RouteDecorator {
  return mark('authentication', authenticationDemand('@RequireStepUp', requirement), once('@RequireStepUp'));
}

/**
 * How old the authorization server's word on a token may be at this route; at most the module's `introspectionTtlSeconds`,
 * which is the default. 0 asks now, for every request: for what must not be done with a token that was just revoked. It introspects
 * whatever `verification` and `@TokenVerification` say: a signature is no word on what happened since it was made.
 */
export function MaxIntrospectionAge({ seconds }: { readonly seconds: number }): RouteDecorator {
  if (!(seconds >= 0)) throw new TypeError('@MaxIntrospectionAge: seconds must be a number from 0');
  return mark('maxStalenessSeconds', seconds, once('@MaxIntrospectionAge'));
}

/**
 * How tokens are verified at this route, in place of `forRoot({ verification })`: `introspection` asks the authorization server, `jwt` checks the
 * signature here, and needs `forRoot({ jwt })`. It opens nothing by itself. On a method it replaces that of the class; if a base class
 * says `introspection`, the handler introspects. With `@MaxIntrospectionAge()` the route introspects all the same.
 *
 * By `jwt` a token that was revoked, or whose user was disabled, passes until it expires, unless the `RevocationList` knows of it.
 */
export function TokenVerification(verification: VerificationMethod): RouteDecorator {
  if (!VERIFICATIONS.includes(verification)) {
    throw new TypeError(`@TokenVerification: ${JSON.stringify(verification)} is neither 'introspection' nor 'jwt'`);
  }
  return mark('verification', verification, once('@TokenVerification'));
}
