import { hasMapper, mappedAudiences, mappedClaims, SUBJECT_MAPPER, type TokenKind } from './mapped-claims.js';
import type { SessionNotes } from '../state/sessions.js';
import { OAuthRefusal } from './oauth-refusal.js';
import { toRecord, type RealmClient, type RealmScope, type RealmUser } from '../realm/realm-representation.js';
import type { Realm } from '../realm/realm.js';
import { includesRole, rolesOf, type RoleName } from '../realm/scope-mappings.js';

const OPENID = 'openid';

export interface GrantRequest {
  readonly client: RealmClient;
  readonly user: RealmUser;
  readonly scope: string | undefined;
  readonly audiences?: readonly string[];
  readonly notes?: SessionNotes;
}

export interface GrantedClaims {
  readonly scope: string;
  readonly hasOpenid: boolean;
  readonly access: Readonly<Record<string, unknown>>;
  readonly id: Readonly<Record<string, unknown>>;
  readonly userinfo: Readonly<Record<string, unknown>>;
  readonly introspection: { readonly audiences: readonly string[]; readonly claims: Readonly<Record<string, unknown>> };
}

export function grantClaims(realm: Realm, request: GrantRequest): GrantedClaims {
  const { client, user, notes = {}, audiences: wanted = [] } = request;
  const { clientId } = client;
  const asked = requestedScopes(client, request.scope);
  const scopes = grantedScopes(realm, request, asked);
  const mappers = [...scopes.flatMap((scope) => scope.mappers), ...client.mappers];
  const source = { clientId, user, notes, roles: shownRoles(realm, client, user, scopes) };
  const claimsIn = (kind: TokenKind) => mappedClaims(mappers, kind, source);
  const audiencesIn = (kind: TokenKind) => mappedAudiences(mappers, kind, source);

  const audiences = narrowed(audiencesIn('access'), wanted);
  const idAudiences = audiencesIn('id');
  const hasOpenid = asked.includes(OPENID);
  const shown = scopes.filter(({ isShown }) => isShown).map(({ name }) => name);
  const scope = [...(hasOpenid ? [OPENID] : []), ...shown].join(' ');
  return {
    scope,
    hasOpenid,
    access: {
      ...(audiences.length === 0 ? {} : { aud: oneOrMany(audiences) }),
      ...(hasMapper(mappers, SUBJECT_MAPPER) ? { sub: user.id } : {}),
      scope,
      ...(wanted.length === 0 ? claimsIn('access') : withAccessTo(audiences, claimsIn('access'))),
    },
    id: {
      sub: user.id,
      ...(idAudiences.length === 0 ? {} : { aud: oneOrMany([clientId, ...idAudiences]) }),
      ...claimsIn('id'),
    },
    userinfo: { sub: user.id, ...claimsIn('userinfo') },
    introspection: { audiences: audiencesIn('introspection'), claims: claimsIn('introspection') },
  };
}

export const oneOrMany = <T>(values: readonly T[]): T | readonly T[] | undefined =>
  values.length > 1 ? values : values[0];

export function requestedScopes(client: RealmClient, scope: string | undefined): string[] {
  if (scope === undefined) return [];
  const assigned = [OPENID, ...client.defaultScopes, ...client.optionalScopes];
  const names = scope.split(' ');
  if (names.every((name) => assigned.includes(name))) return names;
  throw new OAuthRefusal(400, 'invalid_scope', `Invalid scopes: ${scope}`);
}

function grantedScopes(realm: Realm, request: GrantRequest, asked: readonly string[]): RealmScope[] {
  const { client, user, audiences = [] } = request;
  const held = rolesOf(user);
  const optional = client.optionalScopes.filter((name) => asked.includes(name));
  return [...new Set([...client.defaultScopes, ...optional])]
    .map((name) => realm.scopes.get(name))
    .filter((scope) => scope !== undefined)
    .filter(({ name }) => {
      const required = realm.scopeMappings.ofScope(name);
      // As in Keycloak, a request for audiences excludes the roles of all other clients.
      const counted = required.filter(
        (role) => role.client === undefined || audiences.length === 0 || audiences.includes(role.client),
      );
      return required.length === 0 || counted.some((role) => includesRole(held, role));
    });
}

function narrowed(available: readonly string[], wanted: readonly string[]): readonly string[] {
  if (wanted.length === 0) return available;
  const missing = wanted.filter((audience) => !available.includes(audience));
  if (missing.length === 0) return [...new Set(wanted)];
  throw new OAuthRefusal(400, 'invalid_request', `Requested audience not available: ${missing.join(', ')}`);
}

/** Without full scope, a client still sees the roles that it owns. */
function shownRoles(realm: Realm, client: RealmClient, user: RealmUser, scopes: readonly RealmScope[]): RoleName[] {
  const held = rolesOf(user);
  if (client.fullScopeAllowed) return held;
  const { scopeMappings } = realm;
  const shown = [
    ...scopeMappings.ofClient(client.clientId),
    ...scopes.flatMap(({ name }) => scopeMappings.ofScope(name)),
  ];
  return held.filter((role) => role.client === client.clientId || includesRole(shown, role));
}

function withAccessTo(audiences: readonly string[], claims: Readonly<Record<string, unknown>>): object {
  const { resource_access: access, ...others } = claims;
  const left = Object.entries(toRecord(access)).filter(([client]) => audiences.includes(client));
  return { ...others, ...(left.length === 0 ? {} : { resource_access: Object.fromEntries(left) }) };
}
