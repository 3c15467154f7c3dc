import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { testServer } from 'keycloak-test-servers';
import { Administrator } from '../../libs/keycloak-test-servers/contract/administrator.js';
import { REALM_ENVIRONMENT, REALM_FILE } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { quickRealm } from '../../libs/keycloak-test-servers/contract/quick-realm.mjs';
import { fillPlaceholders } from '../../libs/keycloak-test-servers/src/embedded/realm/realm-file.js';

export interface RealmFile {
  realm: string;
  enabled: boolean;
  sslRequired: string;
  bruteForceProtected: boolean;
  /** The idle time of a session in seconds. */
  ssoSessionIdleTimeout: number;
  authenticatorConfig: { alias: string; config: Record<string, string> }[];
  clientScopes: {
    name: string;
    protocol?: string;
    protocolMappers?: { config: Record<string, string> }[];
    attributes: Record<string, string>;
  }[];
  scopeMappings: { clientScope: string; roles: string[] }[];
  roles: { realm: { name: string; composite?: boolean; composites?: object }[] };
  clients: {
    clientId: string;
    enabled?: boolean;
    serviceAccountsEnabled?: boolean;
    fullScopeAllowed?: boolean;
    defaultClientScopes: string[];
    optionalClientScopes: string[];
    protocolMappers?: object[];
    attributes: Record<string, string>;
  }[];
}

export interface RealmCopy {
  readonly baseUrl: string;
  readonly issuer: string;
  readonly administrator: Administrator;
}

export const readRealmFile = (environment: Readonly<Record<string, string>> = {}): RealmFile =>
  JSON.parse(fillPlaceholders(readFileSync(REALM_FILE, 'utf8'), { ...REALM_ENVIRONMENT, ...environment })) as RealmFile;

export const unchanged = (): void => undefined;

export function clientIn(realm: RealmFile, id: string): RealmFile['clients'][number] {
  const found = realm.clients.find(({ clientId }) => clientId === id);
  if (found === undefined) throw new Error(`no client ${id}`);
  return found;
}

export function scopeIn(realm: RealmFile, wanted: string): RealmFile['clientScopes'][number] {
  const found = realm.clientScopes.find(({ name }) => name === wanted);
  if (found === undefined) throw new Error(`no client scope ${wanted}`);
  return found;
}

export function takeRole(realm: RealmFile, scope: string): void {
  realm.roles.realm.push({ name: 'had-by-nobody' });
  for (const mapping of realm.scopeMappings) if (mapping.clientScope === scope) mapping.roles = ['had-by-nobody'];
}

/** Creates a changed copy of the demo realm, which the caller must delete. */
export async function createRealm(
  change: (realm: RealmFile) => unknown,
  environment: Readonly<Record<string, string>> = {},
): Promise<RealmCopy & { readonly realm: string; delete(): Promise<void> }> {
  const { baseUrl, issuer, realm: shared } = testServer();
  const realm = readRealmFile(environment);
  realm.realm = `copy-${randomUUID()}`;
  change(realm);
  const administrator = new Administrator(baseUrl, realm.realm);
  const created = await fetch(`${baseUrl}/admin/realms`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await administrator.token()}`, 'content-type': 'application/json' },
    body: JSON.stringify(await quickRealm(realm)),
  });
  if (created.status !== 201) throw new Error(`the realm was not created: ${created.status}`);
  return {
    baseUrl,
    issuer: issuer.replace(shared, realm.realm),
    administrator,
    realm: realm.realm,
    delete: () => administrator.change('DELETE', ''),
  };
}

export async function withRealm<T>(
  change: (realm: RealmFile) => unknown,
  use: (realm: RealmCopy) => Promise<T>,
): Promise<T> {
  const realm = await createRealm(change);
  try {
    return await use(realm);
  } finally {
    await realm.delete();
  }
}
