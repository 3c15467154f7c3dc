import type { Checkup } from '../../checkup/checkup.js';
import { error, type Finding } from '../../checkup/finding.js';
import { resourcesOf, urlAudienceCure } from '../../checkup/protected-resource-findings.js';
import { audiencesOfServices } from '../../protocol/keycloak-clients.js';
import type { GuardedHandler } from '../application/application-subject.js';
import { permissionsOf } from '../application/permissions-of.js';
import { scopeNamed } from '../administrator/realm-lookup.js';
import type { RealmSnapshot } from '../administrator/realm-snapshot.js';

/** Tokens with this service's permissions should have this service's client id as audience. */
export async function ownClientIdFindings(checkup: Checkup, handlers: readonly GuardedHandler[]): Promise<Finding[]> {
  const audiences = new Map<string, readonly string[]>();
  for (const permission of permissionsOf(checkup, handlers)) {
    audiences.set(permission, await checkup.audiencesOf(permission));
  }
  return findingOf(checkup, audiences).map((finding) => ({ ...finding, needsAdministrator: true }));
}

export function realmClientIdFindings(
  realm: RealmSnapshot,
  checkup: Pick<Checkup, 'options'>,
  handlers: readonly GuardedHandler[],
): Finding[] {
  const audiences = permissionsOf(checkup, handlers).map((permission) => {
    const mapped = scopeNamed(realm, permission)?.audiences ?? [];
    return [permission, mapped.map(({ audience }) => audience)] as const;
  });
  return findingOf(checkup, new Map(audiences));
}

function findingOf(
  { options }: Pick<Checkup, 'options'>,
  audiences: ReadonlyMap<string, readonly string[]>,
): Finding[] {
  const { clientId } = options;
  const known = [...audiences]
    .map(([permission, named]) => [permission, new Set(audiencesOfServices(named))] as const)
    .filter(([, services]) => services.size === 1);
  const others = new Set(known.flatMap(([, services]) => [...services]));
  const [other] = others;
  if (other === undefined || others.size > 1 || other === clientId) return [];
  const permissions = known.map(([permission]) => permission).join(', ');
  if (resourcesOf(options).includes(other)) {
    const says = `The permissions of the routes (${permissions}) are for the URL ${other}, but the client id of this service is ${clientId}, so this service refuses their tokens.`;
    return [error('client', says, urlAudienceCure(clientId))];
  }
  return [
    error(
      'client',
      `This service runs with the client id ${clientId}, but the permissions of its routes (${permissions}) are for ${other}.`,
      `If this service is ${other}, set clientId (<SERVICE>_CLIENT_ID) and the secret to those of ${other}. If it is ${clientId}, correct the client in the audience mapper. Don't add a second mapper: ${clientId} would accept tokens for ${other}.`,
    ),
  ];
}
