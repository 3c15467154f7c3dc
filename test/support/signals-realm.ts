/** Signals realm: the demo realm under a name of its own, whose event log is on and may be read by the poller, and by service-a too. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAuthorizationServer, testServer } from 'keycloak-test-servers';
import { publicUrl } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { contractServerAt, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { clientIn, createRealm, readRealmFile, type RealmFile } from './realm-copy.js';

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

/** On a real Keycloak in the server of the run, else in an embedded server of its own. */
export async function startSignalsRealm(): Promise<ContractServer> {
  if (testServer().kind !== 'embedded') {
    const copy = await createRealm(readable, EVENTS_ON);
    return { ...contractServerAt(copy.baseUrl, { realm: copy.realm }), stop: () => copy.delete() };
  }
  const realm = readRealmFile(EVENTS_ON);
  readable(realm);
  const folder = mkdtempSync(join(tmpdir(), 'signals-realm-'));
  try {
    const file = join(folder, 'realm.json');
    writeFileSync(file, JSON.stringify(realm));
    const server = await startAuthorizationServer({ realm: file });
    return { ...contractServerAt(server.baseUrl), stop: () => server.stop() };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
