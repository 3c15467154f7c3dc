import { hasMapper, mappedAudiences, mappedClaims } from './mapped-claims.js';
import type { SessionNotes } from '../state/sessions.js';
import { OAuthRefusal } from './oauth-refusal.js';
import type { RealmClient, RealmScope, RealmUser } from '../realm/realm-representation.js';
import type { Realm } from '../realm/realm.js';

const OPENID = 'openid';

export interface GrantRequest {
  readonly client: RealmClient;
  readonly user: RealmUser;
  readonly scope: string | undefined;
  /** An empty list means all audiences of the scopes. */
  readonly audiences?: readonly string[];
  readonly notes?: SessionNotes;
}

export interface GrantedClaims {
  readonly scope: string;
  readonly hasOpenid: boolean;
  readonly access: Readonly<Record<string, unknown>>;
  readonly id: Readonly<Record<string, unknown>>;
  readonly userinfo: Readonly<Record<string, unknown>>;
}

export function grantClaims(realm: Realm, request: GrantRequest): GrantedClaims {
  const { client, user, notes = {} } = request;
  const asked = requestedScopes(client, request.scope);
  const scopes = grantedScopes(realm, client, user, asked);
  const mappers = [...scopes.flatMap((scope) => scope.mappers), ...client.mappers];
  const audiences = narrowed(mappedAudiences(mappers), request.audiences ?? []);
  const roles = hasMapper(mappers, 'oidc-usermodel-realm-role-mapper') ? shownRoles(realm, client, user, scopes) : [];
  const hasOpenid = asked.includes(OPENID);
  const shown = scopes.filter(({ isShown }) => isShown).map(({ name }) => name);
  const scope = [...(hasOpenid ? [OPENID] : []), ...shown].join(' ');
  const access = {
    ...(audiences.length === 0 ? {} : { aud: audiences.length === 1 ? audiences[0] : audiences }),
    ...(hasMapper(mappers, 'oidc-sub-mapper') ? { sub: user.id } : {}),
    ...(roles.length === 0 ? {} : { realm_access: { roles } }),
    scope,
    ...mappedClaims(mappers, 'access', user, notes),
  };
  const others = (kind: 'id' | 'userinfo') => ({ sub: user.id, ...mappedClaims(mappers, kind, user, notes) });
  return { scope, hasOpenid, access, id: others('id'), userinfo: others('userinfo') };
}

export function requestedScopes(client: RealmClient, scope: string | undefined): string[] {
  if (scope === undefined) return [];
  const assigned = [OPENID, ...client.defaultScopes, ...client.optionalScopes];
  const names = scope.split(' ');
  if (names.every((name) => assigned.includes(name))) return names;
  throw new OAuthRefusal(400, 'invalid_scope', `Invalid scopes: ${scope}`);
}

function grantedScopes(realm: Realm, client: RealmClient, user: RealmUser, asked: readonly string[]): RealmScope[] {
  const optional = client.optionalScopes.filter((name) => asked.includes(name));
  return [...new Set([...client.defaultScopes, ...optional])]
    .map((name) => realm.scopes.get(name))
    .filter((scope) => scope !== undefined)
    .filter(({ name }) => {
      const roles = realm.rolesRequiredFor(name);
      return roles.length === 0 || roles.some((role) => user.realmRoles.includes(role));
    });
}

function narrowed(available: readonly string[], wanted: readonly string[]): readonly string[] {
  if (wanted.length === 0) return available;
  const missing = wanted.filter((audience) => !available.includes(audience));
  if (missing.length === 0) return [...new Set(wanted)];
  throw new OAuthRefusal(400, 'invalid_request', `Requested audience not available: ${missing.join(', ')}`);
}

function shownRoles(realm: Realm, client: RealmClient, user: RealmUser, scopes: readonly RealmScope[]): string[] {
  if (client.fullScopeAllowed) return [...user.realmRoles];
  const shown = [...realm.rolesShownTo(client), ...scopes.flatMap(({ name }) => realm.rolesRequiredFor(name))];
  return user.realmRoles.filter((role) => shown.includes(role));
}
