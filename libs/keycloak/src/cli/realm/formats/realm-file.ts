import { BUILT_IN_CLIENTS } from '../../../protocol/keycloak-clients.js';
import { UsageError } from '../../usage-error.js';
import type { RealmRequirements, RequiredClient } from '../realm-requirements.js';
import { ACR, BASIC } from './built-in-scopes.js';
import {
  accountIn,
  allRoles,
  rolesByOwner,
  scopeMappings,
  scopeRepresentation,
  scopesOfClient,
  type RolesByOwner,
} from './scope-representations.js';

export function realmFile(requirements: RealmRequirements, realm: string): string {
  const { clients, permissions, levels } = requirements;
  const mappings = scopeMappings(requirements);
  const called = calledClients(requirements);
  const inFile = [...clients.map(({ clientId }) => clientId), ...called];
  refuseSharedPlaceholders(inFile);
  const hasLevels = levels.length > 0;
  const defaults = ['basic', ...(hasLevels ? ['acr'] : [])];
  const accounts = clients.filter(({ serviceAccount }) => serviceAccount);
  const file = {
    realm,
    enabled: true,
    bruteForceProtected: true,
    roles: rolesIn(rolesByOwner(allRoles(requirements)), inFile),
    clientScopes: [BASIC, ...(hasLevels ? [ACR] : []), ...permissions.map(scopeRepresentation)],
    defaultDefaultClientScopes: defaults,
    scopeMappings: mappings.realm,
    clientScopeMappings: mappings.clients,
    clients: [
      ...clients.map((client) => clientIn(client, scopesOfClient(requirements, client.clientId), defaults)),
      ...called.map((clientId) => clientIn({ ...CALLED, clientId }, scopesOfClient(requirements, clientId), defaults)),
    ],
    users: accounts.map(accountIn),
  };
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

export function realmFileNotes(requirements: RealmRequirements): string[] {
  const called = calledClients(requirements);
  const placeholders = [...requirements.clients.map(({ clientId }) => clientId), ...called].map(placeholderOf);
  const absent = requirements.otherClients.filter((clientId) => !called.includes(clientId));
  return [
    ...(absent.length === 0
      ? []
      : [`The file has no client ${absent.join(', ')}, because no module says what kind of client it is.`]),
    ...requirements.levels.map(
      ({ acr }) =>
        `The file has no login flow for acr ${acr.join(' or ')}, because the code does not say how users log in.`,
    ),
    ...(placeholders.length === 0
      ? []
      : [
          `Set these environment variables of Keycloak to the secrets of the clients before the import: ${placeholders.join(', ')}.`,
        ]),
  ];
}

/** Keycloak exchanges a token only for an audience that is a client. */
const calledClients = ({ otherClients, permissions }: RealmRequirements): readonly string[] =>
  otherClients.filter((clientId) => permissions.some(({ audience }) => audience === clientId));

const CALLED = { tokenExchange: false, serviceAccount: false, serviceAccountRoles: [] } as const;

function clientIn(
  { clientId, tokenExchange, serviceAccount }: RequiredClient,
  scopes: readonly string[],
  defaults: readonly string[],
): object {
  return {
    clientId,
    secret: `\${${placeholderOf(clientId)}}`,
    publicClient: false,
    standardFlowEnabled: false,
    implicitFlowEnabled: false,
    directAccessGrantsEnabled: false,
    serviceAccountsEnabled: serviceAccount,
    fullScopeAllowed: false,
    defaultClientScopes: defaults,
    optionalClientScopes: scopes,
    attributes: tokenExchange ? { 'standard.token.exchange.enabled': 'true' } : {},
  };
}

function placeholderOf(clientId: string): string {
  const name = `${clientId.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}_CLIENT_SECRET`;
  return /^[A-Z]/.test(name) ? name : `CLIENT_${name}`;
}

function refuseSharedPlaceholders(clientIds: readonly string[]): void {
  for (const clientId of clientIds) {
    const same = clientIds.filter((other) => placeholderOf(other) === placeholderOf(clientId));
    if (same.length > 1) {
      throw new UsageError(
        `${same.join(' and ')} would share the placeholder of one secret (${placeholderOf(clientId)})`,
      );
    }
  }
}

function rolesIn({ realm, clients }: RolesByOwner, inFile: readonly string[]): object {
  const own = [...clients].filter(([client]) => !BUILT_IN_CLIENTS.includes(client));
  const absent = own.map(([client]) => client).filter((client) => !inFile.includes(client));
  if (absent.length > 0)
    throw new UsageError(`the file has no client ${absent.join(', ')} for the roles of the client`);
  const named = (names: readonly string[]): object[] => names.map((name) => ({ name }));
  return { realm: named(realm), client: Object.fromEntries(own.map(([client, names]) => [client, named(names)])) };
}
