import type { Representation } from '../../administrator/admin-api.js';
import { clientOf, scopeOf, settingsOf, type RealmSnapshot } from '../../administrator/realm-snapshot.js';
import { LEVEL_CONDITION, levelOf } from '../../administrator/authentication-levels.js';
import { listOf, recordOf, textOf, textsOf } from '../../administrator/representation.js';
import { readJson } from '../../read-json.js';
import { UsageError } from '../../usage-error.js';
import { RolesInFile } from './roles-in-file.js';

export function readRealmFile(path: string): RealmSnapshot {
  const realm = recordOf(readJson(path));
  if (textOf(realm['realm']) === '') throw new UsageError(`${path} is not a realm file: it has no "realm"`);
  return snapshotOfFile(realm);
}

export function snapshotOfFile(realm: Representation): RealmSnapshot {
  const roles = new RolesInFile(realm);
  const byDefault = {
    fullScopeAllowed: true,
    defaultClientScopes: realm['defaultDefaultClientScopes'],
    optionalClientScopes: realm['defaultOptionalClientScopes'],
  };
  const accounts = new Map(
    listOf(realm['users'])
      .map(recordOf)
      .map((user) => [textOf(user['serviceAccountClientId']), user]),
  );
  return {
    version: undefined,
    features: [],
    settings: settingsOf(realm, undefined),
    clients: listOf(realm['clients']).map((client) => {
      const given = recordOf(client);
      return clientOf({ ...byDefault, ...given, id: given['clientId'] });
    }),
    scopes: listOf(realm['clientScopes']).map((scope) => {
      const given = recordOf(scope);
      return scopeOf({ ...given, id: given['name'] });
    }),
    rolesOf: async ({ name }) => [...roles.mappedTo(name)],
    rolesOfServiceAccount: async ({ clientId, hasServiceAccount }) => {
      if (!hasServiceAccount) return undefined;
      return roles.ofHolder(accounts.get(clientId));
    },
    rolesOfEveryone: async () => roles.ofEveryone(),
    rolesOfDefaultGroups: async () => roles.ofDefaultGroups(),
    hasRole: async (role) => roles.has(role),
    scopesOfNewClients: async () => ({
      byDefault: textsOf(realm['defaultDefaultClientScopes']),
      optional: textsOf(realm['defaultOptionalClientScopes']),
    }),
    levelsOfLogin: async () => levelsIn(realm, textOf(realm['browserFlow'])),
    acknowledgedEvents: async () => undefined,
  };
}

function levelsIn(realm: Representation, alias: string, above: readonly string[] = []): readonly number[] {
  if (above.includes(alias)) return [];
  const flow = listOf(realm['authenticationFlows'])
    .map(recordOf)
    .find((each) => each['alias'] === alias);
  const configs = listOf(realm['authenticatorConfig']).map(recordOf);
  return listOf(flow?.['authenticationExecutions'])
    .map(recordOf)
    .filter(({ requirement }) => requirement !== 'DISABLED')
    .flatMap(({ authenticator, authenticatorConfig, flowAlias }) => {
      if (typeof flowAlias === 'string') return levelsIn(realm, flowAlias, [...above, alias]);
      const config = configs.find((each) => each['alias'] === authenticatorConfig);
      return authenticator === LEVEL_CONDITION && config !== undefined ? [levelOf(config)] : [];
    });
}
