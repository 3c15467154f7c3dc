import type { RegisteredService } from '../../checkup/checkup-parts.js';
import { error, warning, type Finding } from '../../checkup/finding.js';
import { parseScope } from '../../protocol/scope.js';
import type { RealmClient, RealmSnapshot } from '../administrator/realm-snapshot.js';

/** A call fails if Keycloak adds an unrequested default scope (`scope_not_asked_for`). */
export function defaultScopeFindings(
  { scopes }: RealmSnapshot,
  { clientId, defaultScopes }: RealmClient,
  services: readonly RegisteredService[],
  allowed: readonly string[],
): Finding[] {
  if (services.length === 0) return [];
  const unasked = scopes.filter(
    ({ name, isInTokenScope }) => isInTokenScope && defaultScopes.includes(name) && !allowed.includes(name),
  );
  return unasked.map(({ name }) => {
    const broken = services.filter((service) => !callsAlwaysAskFor(name, service));
    return broken.length === 0
      ? warning(
          'permission',
          `${name} is a default scope of ${clientId}, so each of its tokens gets it.`,
          `Make it optional at the client ${clientId} (Client scopes).`,
        )
      : error(
          'permission',
          `${name} is a default client scope of ${clientId}, so Keycloak adds it unasked. Calls to ${broken.map((service) => service.name).join(', ')} fail (scope_not_asked_for) for all users who have its role.`,
          `Make it an optional client scope of ${clientId} (Clients, ${clientId}, Client scopes), or name it in expectedDefaultScopes.`,
        );
  });
}

const callsAlwaysAskFor = (scope: string, { scopes }: RegisteredService): boolean =>
  scopes !== undefined &&
  [...scopes.asService, ...scopes.onBehalfOf].every((asked) => parseScope(asked).includes(scope));
