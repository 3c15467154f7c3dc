/** Signals realm: the demo realm under a name of its own, whose event log is on and may be read by the poller, and by service-a too. */
import { publicUrl } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import type { ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { startChangedRealm } from './changed-realm.js';
import { clientIn, type RealmFile } from './realm-copy.js';

interface LoggedRealm extends RealmFile {
  users: { username: string; clientRoles?: Record<string, string[]> }[];
  clientScopeMappings: Record<string, { client: string; roles: string[] }[]>;
}

const EVENTS_ON = { SIGNALS_EVENTS: 'true' };

/** A service that reads the log by itself. */
export const READER = 'service-a';

function readable(file: RealmFile): void {
  const realm = file as LoggedRealm;
  // Logout notices go where browsers go.
  clientIn(realm, READER).attributes['backchannel.logout.url'] = `${publicUrl}/auth/backchannel-logout`;
  const account = realm.users.find(({ username }) => username === `service-account-${READER}`);
  if (account === undefined) throw new Error(`${READER} has no service account`);
  account.clientRoles = { 'realm-management': ['view-events'] };
  realm.clientScopeMappings['realm-management']?.push({ client: READER, roles: ['view-events'] });
}

export const startSignalsRealm = (): Promise<ContractServer> => startChangedRealm(readable, { environment: EVENTS_ON });
