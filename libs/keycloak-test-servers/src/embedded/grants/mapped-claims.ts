import type { ClaimMapper, RealmUser } from '../realm/realm-representation.js';
import type { SessionNotes } from '../state/sessions.js';

export type TokenKind = 'access' | 'id' | 'userinfo';

/** The level of a service account, which has no session. */
const LEVEL_OF_A_SERVICE = '1';

export function mappedClaims(
  mappers: readonly ClaimMapper[],
  kind: TokenKind,
  user: RealmUser,
  notes: SessionNotes,
): Record<string, unknown> {
  const claims = mappersFor(mappers, kind).map((mapper) => claimOf(mapper, user, notes));
  return Object.fromEntries(claims.filter(([, value]) => value !== undefined));
}

export const hasMapper = (mappers: readonly ClaimMapper[], kind: string): boolean =>
  mappersFor(mappers, 'access').some((mapper) => mapper.kind === kind);

export function mappedAudiences(mappers: readonly ClaimMapper[]): string[] {
  const audiences = mappersFor(mappers, 'access')
    .filter(({ kind }) => kind === 'oidc-audience-mapper')
    .map(({ config }) => config['included.client.audience'] ?? config['included.custom.audience'] ?? '');
  return [...new Set(audiences)].filter((audience) => audience !== '');
}

const mappersFor = (mappers: readonly ClaimMapper[], kind: TokenKind): ClaimMapper[] =>
  mappers.filter(({ config }) => config[`${kind}.token.claim`] === 'true');

function claimOf({ kind, config }: ClaimMapper, user: RealmUser, notes: SessionNotes): readonly [string, unknown] {
  const name = config['claim.name'] ?? '';
  switch (kind) {
    case 'oidc-full-name-mapper':
      return ['name', fullName(user)];
    case 'oidc-usermodel-attribute-mapper':
    case 'oidc-usermodel-property-mapper':
      return [name, typed(user.attributes[config['user.attribute'] ?? ''], config['jsonType.label'])];
    case 'oidc-acr-mapper':
      return ['acr', notes['acr'] ?? LEVEL_OF_A_SERVICE];
    case 'oidc-usersessionmodel-note-mapper':
      return [name, typed(notes[config['user.session.note'] ?? ''], config['jsonType.label'])];
    default:
      return [name, undefined];
  }
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
