import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAuthorizationServer, testServer } from 'keycloak-test-servers';
import { contractServerAt, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { createRealm, readRealmFile, type RealmFile } from './realm-copy.js';

export interface RealmSurroundings {
  readonly features?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

export async function startChangedRealm(
  change: (realm: RealmFile) => void,
  { features = [], environment = {} }: RealmSurroundings = {},
): Promise<ContractServer> {
  if (testServer().kind !== 'embedded') {
    const copy = await createRealm(change, environment);
    return { ...contractServerAt(copy.baseUrl, { realm: copy.realm }), stop: () => copy.delete() };
  }
  const realm = readRealmFile(environment);
  change(realm);
  const folder = mkdtempSync(join(tmpdir(), 'changed-realm-'));
  try {
    const file = join(folder, 'realm.json');
    writeFileSync(file, JSON.stringify(realm));
    const server = await startAuthorizationServer({ realm: file, features });
    return { ...contractServerAt(server.baseUrl), stop: () => server.stop() };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
