import type { ClaimMapper, RealmUser } from '../realm/realm-representation.js';
import type { RoleName } from '../realm/scope-mappings.js';
import type { SessionNotes } from '../state/sessions.js';
import { changeClaim, emptyClaims, pathOf, type MappedClaims } from './claim-path.js';
import { addRoles, CLIENT_ROLE_MAPPER, clientsOf, REALM_ROLE_MAPPER } from './role-claims.js';

export type TokenKind = 'access' | 'id' | 'userinfo' | 'introspection';

export interface ClaimSource {
  readonly clientId: string;
  readonly user: RealmUser;
  readonly roles: readonly RoleName[];
  readonly notes: SessionNotes;
}

export const SUBJECT_MAPPER = 'oidc-sub-mapper';
const AUDIENCE_MAPPER = 'oidc-audience-mapper';
const AUDIENCE_RESOLVE_MAPPER = 'oidc-audience-resolve-mapper';
const ACR_MAPPER = 'oidc-acr-mapper';

const LEVEL_OF_A_SERVICE = '1';

type Claim = readonly [name: string, value: unknown];

const attribute = ({ config }: ClaimMapper, { user }: ClaimSource): Claim => [
  config['claim.name'] ?? '',
  typed(user.attributes[config['user.attribute'] ?? ''], config['jsonType.label']),
];

const CLAIMS: Readonly<Partial<Record<string, (mapper: ClaimMapper, source: ClaimSource) => Claim>>> = {
  'oidc-full-name-mapper': (_, { user }) => ['name', fullName(user)],
  'oidc-usermodel-attribute-mapper': attribute,
  'oidc-usermodel-property-mapper': attribute,
  [ACR_MAPPER]: (_, { notes }) => ['acr', notes['acr'] ?? LEVEL_OF_A_SERVICE],
  'oidc-usersessionmodel-note-mapper': ({ config }, { notes }) => [
    config['claim.name'] ?? '',
    typed(notes[config['user.session.note'] ?? ''], config['jsonType.label']),
  ],
};

const ROLE_MAPPERS = [REALM_ROLE_MAPPER, CLIENT_ROLE_MAPPER];
const OTHER_MAPPERS = [SUBJECT_MAPPER, AUDIENCE_MAPPER, AUDIENCE_RESOLVE_MAPPER];

export const isSupported = ({ kind }: ClaimMapper): boolean =>
  Object.hasOwn(CLAIMS, kind) || ROLE_MAPPERS.includes(kind) || OTHER_MAPPERS.includes(kind);

export function mappedClaims(mappers: readonly ClaimMapper[], kind: TokenKind, source: ClaimSource): MappedClaims {
  const claims = emptyClaims();
  for (const mapper of mappersFor(mappers, kind)) {
    if (ROLE_MAPPERS.includes(mapper.kind)) addRoles(claims, mapper, source.roles, { isIdToken: kind === 'id' });
    const [name, value] = CLAIMS[mapper.kind]?.(mapper, source) ?? ['', undefined];
    if (value !== undefined) changeClaim(claims, pathOf(name), () => value);
  }
  return claims;
}

export const hasMapper = (mappers: readonly ClaimMapper[], kind: string): boolean =>
  mappersFor(mappers, 'access').some((mapper) => mapper.kind === kind);

export function mappedAudiences(
  mappers: readonly ClaimMapper[],
  kind: TokenKind,
  { clientId, roles }: ClaimSource,
): string[] {
  const audiences = mappersFor(mappers, kind).flatMap((mapper) => {
    if (mapper.kind === AUDIENCE_RESOLVE_MAPPER) return clientsOf(roles).filter((client) => client !== clientId);
    if (mapper.kind !== AUDIENCE_MAPPER) return [];
    return [mapper.config['included.client.audience'] ?? mapper.config['included.custom.audience'] ?? ''];
  });
  return [...new Set(audiences)].filter((audience) => audience !== '');
}

const mappersFor = (mappers: readonly ClaimMapper[], kind: TokenKind): ClaimMapper[] =>
  mappers.filter((mapper) => isOn(mapper, kind));

/** Mappers that never add claims to this kind of token, whatever their configuration says. */
const NEVER: Readonly<Partial<Record<string, TokenKind>>> = {
  [AUDIENCE_RESOLVE_MAPPER]: 'id',
  [ACR_MAPPER]: 'userinfo',
};

function isOn(mapper: ClaimMapper, kind: TokenKind): boolean {
  if (NEVER[mapper.kind] === kind) return false;
  const value = mapper.config[`${kind}.token.claim`];
  if (value !== undefined) return value === 'true';
  if (mapper.kind === AUDIENCE_RESOLVE_MAPPER) return true;
  if (kind === 'introspection') return isOn(mapper, 'access');
  return kind === 'userinfo' && isOn(mapper, 'id');
}

function fullName({ attributes }: RealmUser): string | undefined {
  const names = [attributes['firstName'], attributes['lastName']].filter((name) => name !== undefined);
  return names.length === 0 ? undefined : names.join(' ');
}

function typed(value: string | boolean | undefined, type: string | undefined): unknown {
  if (value === undefined) return undefined;
  if (type === 'boolean') return String(value) === 'true';
  if (type === 'long' || type === 'int') return Number(value);
  return value;
}
