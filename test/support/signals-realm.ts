import { publicUrl } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import type { ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { startChangedRealm } from './changed-realm.js';
import { clientIn, unchanged, type RealmFile } from './realm-copy.js';

export interface LoggedRealm extends RealmFile {
  eventsEnabled: unknown;
  eventsExpiration?: number;
  enabledEventTypes: string[];
  adminEventsEnabled: unknown;
  attributes: Record<string, string>;
  users: { username: string; clientRoles?: Record<string, string[]> }[];
  clientScopeMappings: Record<string, { client: string; roles: string[] }[]>;
}

const EVENTS_ON = { SIGNALS_EVENTS: 'true' };

export const READER = 'service-a';

function readable(realm: LoggedRealm): void {
  // Keycloak sends logout notices to the public address, to which browsers also send requests.
  clientIn(realm, READER).attributes['backchannel.logout.url'] = `${publicUrl}/auth/backchannel-logout`;
  giveRoles(realm, ['view-events']);
  realm.clientScopeMappings['realm-management']?.push({ client: READER, roles: ['view-events'] });
}

export function giveRoles(realm: LoggedRealm, roles: string[]): void {
  const account = realm.users.find(({ username }) => username === `service-account-${READER}`);
  if (account === undefined) throw new Error(`${READER} has no service account`);
  account.clientRoles = { 'realm-management': roles };
}

export const startSignalsRealm = (change: (realm: LoggedRealm) => void = unchanged): Promise<ContractServer> =>
  startChangedRealm(
    (file: RealmFile) => {
      const realm = file as LoggedRealm;
      readable(realm);
      change(realm);
    },
    { environment: EVENTS_ON },
  );
