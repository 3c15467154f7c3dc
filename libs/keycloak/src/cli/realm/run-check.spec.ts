import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { FakeAdminApi, type FakeAnswer, type FakeRealm } from '../../../spec-support/admin-api-of.js';
import { SECRET, SERVER } from '../../../spec-support/planned-modules.js';
import { modules, POLICY, realmCommand, SpecFolder, type Ran } from '../../../spec-support/realm-command.js';

const TOKEN = 'eyJhbGciOiJub25lIn0.e30.admin-token-4711';

const FURTHER = { fullScopeAllowed: false, defaultClientScopes: ['basic'] };

let folder: SpecFolder;
let policy: string;
let realm: FakeRealm;
let api: FakeAdminApi;
beforeAll(async () => {
  folder = new SpecFolder();
  policy = folder.file('who-may.json', POLICY);
  const args = ['plan', '--permissions', policy, ...modules('orders', 'inventory'), '--format', 'realm'];
  const generated = JSON.parse((await realmCommand(args)).printed) as FakeRealm;
  const further = [
    { clientId: 'web', publicClient: true, ...FURTHER, optionalClientScopes: ['orders.read'] },
    { clientId: 'warehouse', ...FURTHER, optionalClientScopes: ['stock.read'] },
  ];
  realm = { ...generated, clients: [...generated.clients, ...further] };
  api = await FakeAdminApi.start(realm);
  SERVER.address = api.url;
});
afterEach(() => api.replaced.clear());
afterAll(() => {
  api.stop();
  folder.remove();
});

const check = async (args: readonly string[] = [], environment: Record<string, string> = {}): Promise<Ran> =>
  realmCommand(['check', '--permissions', policy, ...modules('orders', 'inventory'), ...args], environment);

const checkRunning = async (...args: readonly string[]): Promise<Ran> => check(args, { KEYCLOAK_ADMIN_TOKEN: TOKEN });

const path = (rest: string): string => `/admin/realms/shop${rest}`;

describe('realm check', () => {
  it('exits with 0 if the realm is as required', async () => {
    const { exitCode, printed, failed } = await checkRunning();
    expect({ exitCode, failed }).toEqual({ exitCode: 0, failed: '' });
    expect(printed).toBe(`inventory, orders at ${api.url}/realms/shop
– module      ${policy} names permissions that these modules do not need: refunds.read, refunds.write.
✓ client      inventory is as required.
✓ client      orders is as required.
✓ permission  orders.read is as required.
✓ permission  stock.read is as required.

0 errors, 0 warnings, 1 note.
`);
    expect([[...api.authorizations], [...api.methods]]).toEqual([[`Bearer ${TOKEN}`], ['GET']]);
  });

  it('exits with 2 if everyone may hold a restricted permission', async () => {
    api.replaced.set(path('/client-scopes/stock.read/scope-mappings/realm/composite'), { body: [] });
    const { exitCode, printed } = await checkRunning();
    expect(printed).toContain('✗ permission  Every user and service account may hold stock.read, but only clerk may');
    expect(printed).toContain(`but only clerk may by ${policy}.`);
    expect(printed).toContain('→ Assign these roles at the client scope stock.read (Scope).');
    expect(exitCode).toBe(2);
  });

  it('reads roles and default groups of a running realm', async () => {
    api.replaced.set(path('/roles'), { body: [{ id: 'x', name: 'other' }] });
    api.replaced.set(path('/default-groups'), { body: [{ id: 'team', path: '/staff/team', parentId: 'staff' }] });
    api.replaced.set(path('/groups/staff'), { body: { id: 'staff' } });
    for (const group of ['staff', 'team']) {
      api.replaced.set(path(`/groups/${group}/role-mappings`), { body: {} });
      api.replaced.set(path(`/groups/${group}/role-mappings/realm/composite`), {
        body: group === 'staff' ? [{ name: 'clerk' }] : [],
      });
    }
    const { exitCode, printed } = await checkRunning();
    expect(printed).toContain('✗ permission  The realm has no role clerk.');
    expect(printed).toContain('the default group /staff/team has the role clerk');
    expect(exitCode).toBe(2);
    api.replaced.set(path('/default-groups'), { status: 403, body: {} });
    expect((await checkRunning()).printed).toContain(
      '– permission  This administrator may not see the roles of default',
    );
  });

  it('exits with 1 if a client may request a permission that it does not need', async () => {
    const clients = realm.clients.map((client) => ({ ...client, id: client.clientId }));
    const further = { id: 'x', clientId: 'x', optionalClientScopes: ['stock.read'] };
    api.replaced.set(path('/clients'), { body: [...clients, further] });
    const { exitCode, printed } = await checkRunning('--json');
    expect(JSON.parse(printed)).toMatchObject({
      client: 'inventory, orders',
      worst: 'warning',
      counts: { error: 0, warning: 1 },
    });
    expect(exitCode).toBe(1);
  });

  it('reads the token from a file, and needs no token to check a realm file', async () => {
    const token = folder.file('token', `${TOKEN}\n`);
    expect((await check(['--admin-token-file', token])).exitCode).toBe(0);
    const file = folder.file('realm.json', realm);
    const { exitCode, printed } = await check(['--realm-file', file]);
    expect(printed).toContain(`inventory, orders at ${file}\n`);
    expect(exitCode).toBe(0);
  });
});

describe('realm check that can not run', () => {
  it.each<[string, string, FakeAnswer, string]>([
    ['an administrator without rights', '', { status: 403, body: {} }, 'with the roles view-realm, view-clients'],
    ['an expired token', '/clients', { status: 401, body: {} }, 'Get a new token (it expires after a minute)'],
    ['a realm that is not JSON', '', { body: '<html>' }, 'answer_not_strict_json'],
    ['clients that are not a list', '/clients', { body: {} }, 'does not answer in the format of Keycloak'],
    ['scopes that are not a list', '/client-scopes', { body: 5 }, 'does not answer in the format of Keycloak'],
    ['an answer that is too large', '/client-scopes', { body: JSON.stringify('x'.repeat(2_000_000)) }, "can't be read"],
    ['a server that never answers', '/client-scopes', undefined, "can't be read"],
    ['a broken server', '/clients', { status: 500, body: { error: TOKEN } }, "can't be read"],
  ])('exits with 3 for %s', async (_, rest, answer, message) => {
    api.replaced.set(path(rest), answer);
    const { exitCode, printed, failed } = await checkRunning();
    expect(failed).toMatch(/^realm: The realm can't be read as an administrator: /);
    expect(failed).toContain(message);
    expect({ exitCode, printed }).toEqual({ exitCode: 3, printed: '' });
  });

  it('exits with 3 for a server without the admin API', async () => {
    api.replaced.set(path('/client-scopes'), { status: 501, body: {} });
    const { exitCode, failed } = await checkRunning();
    expect(failed).toContain('the embedded test server lacks this part of the admin API. Check the realm file');
    expect(exitCode).toBe(3);
  });

  it.each<[string, readonly string[], Record<string, string>, string]>([
    ['no token', [], {}, 'the access token of an administrator must be in KEYCLOAK_ADMIN_TOKEN'],
    ['a malformed token', [], { KEYCLOAK_ADMIN_TOKEN: '{"access_token"}' }, 'administrator is malformed'],
    ['a missing token file', ['--admin-token-file', '/nowhere'], {}, "KEYCLOAK_ADMIN_TOKEN can't be read (ENOENT)"],
    ['a missing realm file', ['--realm-file', '/nowhere.json'], {}, "/nowhere.json can't be read (ENOENT)"],
    ['a realm file and a token', ['--realm-file', 'x', '--admin-token-file', 'y'], {}, '--realm-file excludes'],
  ])('exits with 3 for %s', async (_, args, environment, message) => {
    const { exitCode, failed } = await check(args, environment);
    expect(failed).toContain(message);
    expect(exitCode).toBe(3);
  });

  it.each([
    ['is not JSON', `{"secret":"${SECRET}`, 'is not JSON'],
    ['has no realm', '{}', 'is not a realm file: it has no "realm"'],
  ])('exits with 3 for a realm file that %s', async (_, content, message) => {
    const { exitCode, failed } = await check(['--realm-file', folder.file('faulty.json', content)]);
    expect(failed).toContain(message);
    expect(exitCode).toBe(3);
  });

  it('exits with 3 for a module with faulty requirements', async () => {
    const args = ['check', '--permissions', policy, ...modules('undeclared', 'inventory'), '--realm-file', policy];
    const { exitCode, printed, failed } = await realmCommand(args);
    expect(failed).toContain('✗ undeclared: the service inventory is registered without scopes.');
    expect(failed).toContain('the requirements have faults, so the realm was not checked');
    expect({ exitCode, printed }).toEqual({ exitCode: 3, printed: '' });
  });
});

it('realm check prints no token and no terminal escape from the answer of a server', async () => {
  const evil = `\u001b[2J\u202eevil\nFAKE LINE ${TOKEN}`;
  const clients = realm.clients.map((client) => ({ ...client, id: client.clientId }));
  api.replaced.set(path('/clients'), {
    body: [...clients, { id: 'x', clientId: evil, optionalClientScopes: ['stock.read'] }],
  });
  const { exitCode, printed } = await checkRunning();
  expect(printed).toContain('evil FAKE LINE *** may ask for stock.read');
  expect(printed).not.toContain('\nFAKE LINE');
  expect(exitCode).toBe(1);
  expect(JSON.parse((await checkRunning('--json')).printed)).toMatchObject({ worst: 'warning' });
});
