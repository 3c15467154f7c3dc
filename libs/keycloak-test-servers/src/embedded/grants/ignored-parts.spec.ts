import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { allSecrets, REALM_FILE } from '../../../spec-support/test-realm.js';
import { reportIgnored } from './ignored-parts.js';
import { fillPlaceholders } from '../realm/realm-file.js';
import { Realm } from '../realm/realm.js';
import { startAuthorizationServer } from '../start-authorization-server.js';

type Members = Readonly<Record<string, unknown>>;

function ignoredOf(json: Members): string {
  const lines: string[] = [];
  reportIgnored(new Realm('shop', json), json, (line) => lines.push(line));
  expect(lines.length).toBeLessThanOrEqual(1);
  return /realm shop: (.*)\. To use them/.exec(lines[0] ?? '')?.[1] ?? '';
}

const client = (members: Members) => ({ clients: [{ clientId: 'web', ...members }] });
const withAttribute = (name: string, value: string) => client({ attributes: { [name]: value } });
const user = (members: Members) => ({ users: [{ username: 'alice', ...members }] });
const mapper = (protocolMapper: string, config: Members = {}) => ({ protocolMapper, config });
const HARDCODED = 'oidc-hardcoded-claim-mapper';

describe('the line about ignored parts of a realm file', () => {
  const files = ['quick-start', 'testing', 'migrated'].map((name) =>
    fileURLToPath(new URL(`../../../../../examples/${name}/realm.json`, import.meta.url)),
  );
  it.each([REALM_FILE, ...files])('is omitted for %s', async (file) => {
    const json = fillPlaceholders(await readFile(file, 'utf8'), allSecrets('x'));
    expect(ignoredOf(JSON.parse(json) as Members)).toBe('');
  });

  it('is printed at the start, and says what to do', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ignored-'));
    try {
      const realm = join(folder, 'realm.json');
      await writeFile(realm, JSON.stringify({ realm: 'shop', verifyEmail: true, groups: [{ name: '${GROUP}' }] }));
      const lines: string[] = [];
      const onProgress = (line: string): void => void lines.push(line);
      const server = await startAuthorizationServer({ realm, environment: { GROUP: 'x' }, onProgress });
      await server.stop();
      expect(lines).toEqual([
        expect.stringContaining(server.baseUrl),
        'The embedded server ignores these parts of the realm shop: groups, verifyEmail. ' +
          'To use them, start a real Keycloak (AUTHORIZATION_SERVER=keycloak).',
      ]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('an ignored mapper', () => {
  const scopes = (protocolMappers: readonly Members[], members: Members = {}) => ({
    clientScopes: [{ name: 'extra', protocolMappers, ...members }],
  });

  it('is listed with the names of its client scopes and clients', () => {
    const web = { clientId: 'web', protocolMappers: [mapper(HARDCODED)], optionalClientScopes: ['extra'] };
    const clients = [web, { clientId: 'app', protocolMappers: [mapper('oidc-group-membership-mapper')] }];
    expect(ignoredOf({ ...scopes([mapper(HARDCODED)]), clients })).toBe(
      `${HARDCODED} (client scope extra, client web), oidc-group-membership-mapper (client app)`,
    );
  });

  it('names three owners, and counts the others', () => {
    const clients = ['a', 'b', 'c', 'd', 'e'].map((clientId) => ({ clientId, protocolMappers: [mapper(HARDCODED)] }));
    expect(ignoredOf({ clients })).toBe(`${HARDCODED} (client a, client b, client c, 2 more)`);
  });

  it.each([
    ['of a client scope that no client has', scopes([mapper(HARDCODED)])],
    [
      'of SAML',
      {
        ...scopes([{ ...mapper('saml-role-list-mapper'), protocol: 'saml' }]),
        ...client({ defaultClientScopes: ['extra'] }),
      },
    ],
    [
      "of Keycloak's own clients",
      { clients: [{ clientId: 'security-admin-console', protocolMappers: [mapper(HARDCODED)] }] },
    ],
  ])('is omitted if it is a mapper %s', (_, json) => {
    expect(ignoredOf(json)).toBe('');
  });

  it.each([
    ['multivalued', { multivalued: 'true' }],
    ['aggregate.attrs', { 'aggregate.attrs': 'true' }],
    ['jsonType.label JSON', { 'jsonType.label': 'JSON' }],
    ['access.tokenResponse.claim', { 'access.tokenResponse.claim': 'true' }],
  ])('can be a supported mapper with an unsupported option: %s', (option, config) => {
    const protocolMappers = [mapper('oidc-usermodel-attribute-mapper', config)];
    expect(ignoredOf(client({ protocolMappers }))).toBe(`oidc-usermodel-attribute-mapper with ${option} (client web)`);
  });

  it('can be a supported mapper with lightweight.claim, if the client uses lightweight tokens', () => {
    const protocolMappers = [mapper('oidc-sub-mapper', { 'lightweight.claim': 'true' })];
    const attributes = { 'client.use.lightweight.access.token.enabled': 'true' };
    expect(ignoredOf(client({ protocolMappers }))).toBe('');
    expect(ignoredOf(client({ protocolMappers, attributes }))).toBe(
      'oidc-sub-mapper with lightweight.claim (client web)',
    );
  });

  it.each([
    'oidc-usermodel-client-role-mapper',
    'oidc-usermodel-realm-role-mapper',
    'oidc-audience-resolve-mapper',
    'oidc-audience-mapper',
    'oidc-acr-mapper',
    'oidc-full-name-mapper',
    'oidc-usersessionmodel-note-mapper',
    'oidc-usermodel-property-mapper',
  ])('is not %s', (kind) => {
    expect(ignoredOf(client({ protocolMappers: [mapper(kind, { multivalued: 'true' })] }))).toBe('');
  });
});

describe('an ignored setting', () => {
  const flow = (members: Members) => ({
    browserFlow: 'my browser',
    authenticationFlows: [
      { alias: 'my browser', authenticationExecutions: [{ flowAlias: 'forms' }, { authenticator: 'auth-cookie' }] },
      { alias: 'forms', authenticationExecutions: [{ flowAlias: 'my browser' }, members] },
    ],
  });

  it.each<[string, Members]>([
    ['groups', { groups: [{ name: 'staff' }] }],
    ['identityProviders', { identityProviders: [{ alias: 'google' }] }],
    ['loginWithEmailAllowed', { loginWithEmailAllowed: false }],
    ['passwordPolicy', { passwordPolicy: 'hashIterations(1) and length(8)' }],
    ['requiredActions', { requiredActions: [{ alias: 'VERIFY_EMAIL', enabled: true, defaultAction: true }] }],
    ['clientPolicies', { clientPolicies: { policies: [{ name: 'pkce' }] } }],
    ['directGrantFlow', { directGrantFlow: 'my direct grant' }],
    ['refreshTokenMaxReuse', { refreshTokenMaxReuse: 1 }],
    ['defaultSignatureAlgorithm', { defaultSignatureAlgorithm: 'ES256' }],
    ['frontendUrl', { attributes: { frontendUrl: 'https://login.example' } }],
    [
      'org.keycloak.storage.UserStorageProvider',
      { components: { 'org.keycloak.storage.UserStorageProvider': [{ providerId: 'ldap' }] } },
    ],
    ['consentRequired (client web)', client({ consentRequired: true })],
    ['authorizationServicesEnabled (client web)', client({ authorizationServicesEnabled: true })],
    ['clientAuthenticatorType (client web)', client({ clientAuthenticatorType: 'client-x509' })],
    ['webOrigins (client web)', client({ webOrigins: ['+'] })],
    ['wildcards in redirectUris (client web)', client({ redirectUris: ['http://localhost:3000/*'] })],
    ['dpop.bound.access.tokens (client web)', withAttribute('dpop.bound.access.tokens', 'true')],
    ['use.refresh.tokens (client web)', withAttribute('use.refresh.tokens', 'false')],
    ['access.token.signed.response.alg (client web)', withAttribute('access.token.signed.response.alg', 'PS256')],
    ['groups (user alice)', user({ groups: ['/staff'] })],
    ['groups (user broker)', { users: [{ username: 'broker', groups: ['/staff'] }] }],
    ['requiredActions (user alice)', user({ requiredActions: ['UPDATE_PASSWORD'] })],
    ['hashed passwords (user alice)', user({ credentials: [{ type: 'password', secretData: '{}' }] })],
    ['temporary passwords (user alice)', user({ credentials: [{ type: 'password', value: 'a', temporary: true }] })],
    ['second factors (user alice)', user({ credentials: [{ type: 'otp', secretData: '{}' }] })],
    ['composites (role staff)', { roles: { realm: [{ name: 'staff', composites: { realm: ['viewer'] } }] } }],
    ['composites (role write)', { roles: { client: { web: [{ name: 'write', composites: { realm: ['a'] } }] } } }],
    ['auth-otp-form (flow my browser)', flow({ authenticator: 'auth-otp-form' })],
  ])('is reported: %s', (ignored, json) => {
    expect(ignoredOf(json)).toBe(ignored);
  });

  it.each<[string, Members]>([
    ['a display name and a theme', { displayName: 'Shop', loginTheme: 'shop', internationalizationEnabled: true }],
    ['an empty list', { groups: [], identityProviders: [], clientPolicies: { policies: [] } }],
    [
      "Keycloak's defaults",
      { defaultSignatureAlgorithm: 'RS256', directGrantFlow: 'direct grant', verifyEmail: false },
    ],
    ['the hash of passwords', { passwordPolicy: 'hashAlgorithm(pbkdf2-sha512) and hashIterations(1)' }],
    ['an unused required action', { requiredActions: [{ alias: 'X', enabled: false, defaultAction: true }] }],
    ['the authenticator of a public client', client({ publicClient: true, clientAuthenticatorType: 'client-x509' })],
    ['an empty member of a client', client({ authenticationFlowBindingOverrides: { browser: '' }, webOrigins: [] })],
    ['an empty attribute of a client', withAttribute('frontchannel.logout.url', '')],
    ['a SAML client', client({ protocol: 'saml', consentRequired: true })],
    ["Keycloak's own client", { clients: [{ clientId: 'account', webOrigins: ['+'] }] }],
    ['roles of an own client', { roles: { client: { account: [{ name: 'a', composites: { realm: ['b'] } }] } } }],
    ['a disabled authenticator', flow({ authenticator: 'auth-spnego', requirement: 'DISABLED' })],
    ['a condition', flow({ authenticator: 'conditional-user-configured' })],
    [
      "Keycloak's own flow",
      {
        browserFlow: 'browser',
        authenticationFlows: [
          { alias: 'browser', builtIn: true, authenticationExecutions: [{ authenticator: 'auth-otp-form' }] },
        ],
      },
    ],
  ])('is not %s', (_, json) => {
    expect(ignoredOf(json)).toBe('');
  });
});
