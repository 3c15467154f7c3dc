import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAuthorizationServer } from 'keycloak-test-servers';
import { fillPlaceholders } from '../src/embedded/realm/realm-file.js';
import { Administrator } from './administrator.js';
import { clientRolesOf } from './client-role-realm.js';
import { REALM_ENVIRONMENT, REALM_FILE } from './demo-realm.js';
import { quickRealm } from './quick-realm.mjs';
import { SSF_FEATURE, transmitterOf } from './signalling-realm.js';

export interface OwnRealm {
  readonly baseUrl: string;
  readonly realm: string;
  remove(): Promise<void>;
}

const READER_SECRET = 'the-secret';

const READERS = {
  'event-reader': { role: 'view-events', isScoped: true },
  'event-manager': { role: 'manage-events', isScoped: true },
  'realm-reader': { role: 'view-realm', isScoped: true },
  'user-manager': { role: 'manage-users', isScoped: true },
  'reader-without-scope': { role: 'view-events', isScoped: false },
  'reader-with-full-scope': { role: 'view-events', isScoped: false, fullScopeAllowed: true },
} as const;

export type Reader = keyof typeof READERS;

export const READER_NAMES = Object.keys(READERS) as Reader[];

export const readerCaller = (reader: Reader) => `${reader}:${READER_SECRET}` as const;

const SCOPES_WITHOUT_METADATA = [
  {
    name: 'hidden.scope',
    protocol: 'openid-connect',
    attributes: { 'include.in.openid.provider.metadata': 'false' },
  },
  { name: 'scope.of.saml', protocol: 'saml' },
  { name: 'scope.without.protocol' },
];

type Members = Readonly<Record<string, unknown>>;

export type RealmKind = 'plain' | 'with signals' | 'with client roles';

interface Representation extends Members {
  readonly realm: string;
  readonly attributes: Members;
  readonly clientScopes: readonly Members[];
  readonly clients: readonly Members[];
  readonly users: readonly Members[];
  readonly roles: Members;
  readonly clientScopeMappings: { readonly 'realm-management': readonly Members[] };
}

async function representation(kind: RealmKind): Promise<Representation> {
  const file = fillPlaceholders(await readFile(REALM_FILE, 'utf8'), REALM_ENVIRONMENT);
  const json = { ...(JSON.parse(file) as Representation), realm: `own-${randomUUID()}` };
  if (kind === 'plain') return withReaders(json);
  return { ...json, ...(kind === 'with signals' ? transmitterOf(json) : clientRolesOf(json)) };
}

function withReaders(json: Representation): Representation {
  const readers = Object.entries(READERS).map(([clientId, reader]) => ({
    clientId,
    fullScopeAllowed: false,
    ...reader,
  }));
  return {
    ...json,
    // The values of the realm file are removed, so that Keycloak's defaults apply.
    eventsExpiration: undefined,
    enabledEventTypes: undefined,
    clientScopes: [...json.clientScopes, ...SCOPES_WITHOUT_METADATA],
    clients: [
      ...json.clients,
      ...readers.map(({ clientId, fullScopeAllowed }) => ({
        clientId,
        secret: READER_SECRET,
        publicClient: false,
        serviceAccountsEnabled: true,
        standardFlowEnabled: false,
        fullScopeAllowed,
        defaultClientScopes: ['basic'],
      })),
    ],
    users: [
      ...json.users,
      ...readers.map(({ clientId, role }) => ({
        username: `service-account-${clientId}`,
        enabled: true,
        serviceAccountClientId: clientId,
        clientRoles: { 'realm-management': [role] },
      })),
    ],
    clientScopeMappings: {
      'realm-management': [
        ...json.clientScopeMappings['realm-management'],
        ...readers
          .filter(({ isScoped }) => isScoped)
          .map(({ clientId, role }) => ({ client: clientId, roles: [role] })),
      ],
    },
  };
}

export async function addRealm(baseUrl: string, kind: RealmKind): Promise<OwnRealm> {
  const body = await representation(kind);
  const administrator = new Administrator(baseUrl, body.realm);
  const created = await administrator.statusOf('POST', '', { body: await quickRealm(body), realm: '' });
  if (created !== 201) throw new Error(`Creating the realm ${body.realm} answered ${created}`);
  return { baseUrl, realm: body.realm, remove: () => administrator.change('DELETE', '') };
}

export async function startForRealm(kind: RealmKind): Promise<OwnRealm> {
  const body = await representation(kind);
  const folder = await mkdtemp(join(tmpdir(), 'own-realm-'));
  try {
    const path = join(folder, 'realm.json');
    await writeFile(path, JSON.stringify(body));
    const { baseUrl, stop } = await startAuthorizationServer({
      realm: path,
      features: kind === 'with signals' ? [SSF_FEATURE] : [],
    });
    return { baseUrl, realm: body.realm, remove: stop };
  } finally {
    await rm(folder, { recursive: true });
  }
}
