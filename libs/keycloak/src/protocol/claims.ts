/** An introspection response as received (RFC 7662 §2.2), with unverified claims. */
export type IntrospectionAnswer = Readonly<Record<string, unknown>>;

/** The claims of a verified access token; the types of the named claims are checked. */
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

export function stringList(value: unknown): readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : [];
}

export function ownProperty(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

/** Returns Keycloak's realm roles (`realm_access.roles`). */
export function realmRoles(claims: IntrospectionAnswer): readonly string[] {
  return stringList(ownProperty(ownProperty(claims, 'realm_access'), 'roles'));
}

/** Returns Keycloak's roles of one client (`resource_access.<client>.roles`). */
export function clientRoles(claims: IntrospectionAnswer, clientId: string): readonly string[] {
  return stringList(ownProperty(ownProperty(ownProperty(claims, 'resource_access'), clientId), 'roles'));
}

export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
