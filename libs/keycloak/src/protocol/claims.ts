/** The claims of an access token, in the specifications' own names. */

/** An introspection answer as it came: nothing in it is trusted before it was judged (RFC 7662 §2.2). */
export type IntrospectionAnswer = Readonly<Record<string, unknown>>;

/**
 * The claims of a judged access token. The named ones were checked for their type; any other is as the server sent it
 * and `unknown` until the reader has looked.
 */
export interface AccessTokenClaims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: string | readonly string[];
  readonly exp: number;
  readonly iat?: number;
  readonly nbf?: number;
  readonly jti?: string;
  readonly sid?: string;
  readonly scope?: string;
  readonly azp?: string;
  readonly client_id?: string;
  readonly preferred_username?: string;
  readonly email?: string;
  readonly [claim: string]: unknown;
}

/** The strings of `value` when it is an array of strings, and nothing otherwise. */
export function stringList(value: unknown): readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : [];
}

/** The property `name` of `value` when `value` is an object that has it as its own. */
export function ownProperty(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

/** Keycloak's realm roles: the claim `realm_access.roles`. */
export function realmRoles(claims: IntrospectionAnswer): readonly string[] {
  return stringList(ownProperty(ownProperty(claims, 'realm_access'), 'roles'));
}

/** Keycloak's roles of one client: the claim `resource_access.<client>.roles`. Roles of different clients never mix. */
export function clientRoles(claims: IntrospectionAnswer, clientId: string): readonly string[] {
  return stringList(ownProperty(ownProperty(ownProperty(claims, 'resource_access'), clientId), 'roles'));
}

/** The same value, which nobody can change any more, at any depth. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
