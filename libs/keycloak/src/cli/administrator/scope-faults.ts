import { error, note, type Finding } from '../../checkup/finding.js';
import { urlAudienceCure } from '../../checkup/protected-resource-findings.js';
import { alwaysFor, namesOf } from './realm-lookup.js';
import { clientOfRole, type RoleKey } from './role-key.js';
import type { RealmClient, RealmScope, RealmSnapshot } from './realm-snapshot.js';

export function scopeFaults(
  realm: RealmSnapshot,
  scope: RealmScope,
  audience: string,
  { roles, askers }: { readonly roles: readonly RoleKey[]; readonly askers: readonly RealmClient[] },
): Finding[] {
  const { name, isInTokenScope } = scope;
  return [
    ...audienceFaults(realm, scope, audience, { roles, askers }),
    ...(isInTokenScope
      ? []
      : [
          error(
            'permission',
            `The client scope ${name} is not included in the scope of tokens, so nobody has the permission.`,
            `Switch on "Include in token scope" at the client scope ${name}.`,
          ),
        ]),
  ];
}

function* audienceFaults(
  realm: RealmSnapshot,
  { name, audiences }: RealmScope,
  audience: string,
  { roles, askers }: { readonly roles: readonly RoleKey[]; readonly askers: readonly RealmClient[] },
): Iterable<Finding> {
  const own = audiences.find((one) => one.audience === audience);
  const others = audiences.filter((one) => one.audience !== audience).map((one) => one.audience);
  if (own === undefined) {
    // If a role belongs to the client `audience`, the mapper "Audience Resolve" adds this client to the token.
    if (roles.some((role) => clientOfRole(role) === audience)) return;
    const without = askers.filter((client) => !alwaysFor(realm, client).includes(audience));
    if (askers.length > 0 && without.length === 0) {
      yield note(
        'permission',
        `The client scope ${name} has no audience mapper for ${audience}, but each token of ${namesOf(askers)} names it, whatever its scope.`,
      );
      return;
    }
    yield error(
      'permission',
      others.length === 0
        ? `The client scope ${name} has no audience mapper, so its tokens have no audience.`
        : `The client scope ${name} is for ${others.join(', ')}, not for ${audience}.`,
      others.length === 0
        ? `Add a mapper of the type Audience to the client scope ${name}, with the client ${audience}.`
        : others.some(isUrl)
          ? urlAudienceCure(audience)
          : `If the scope is right, correct ${audience} in the settings (clientId of that service, \`audience\` where it is called). If the settings are right, correct the client in the audience mapper of ${name}. Don't add a second mapper: both services would accept its tokens.`,
    );
    return;
  }
  if (!own.isInAccessToken || !own.isInIntrospection) {
    yield error(
      'permission',
      `The audience mapper of ${name} does not add ${audience} to both access tokens and introspection.`,
      'Switch on "Add to access token" and "Add to token introspection" at the mapper.',
    );
  }
}

const isUrl = (audience: string): boolean => /^https?:/.test(audience);

export const noSuchScope = (name: string): Finding =>
  error(
    'permission',
    `${name} is not a client scope of the realm.`,
    'Correct its spelling, or create the client scope.',
  );
