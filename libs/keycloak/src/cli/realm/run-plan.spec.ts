import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { modules, POLICY, realmCommand, SpecFolder, type Ran } from '../../../spec-support/realm-command.js';
import { REALM_USAGE } from './realm-flags.js';

let folder: SpecFolder;
let policy: string;
beforeAll(() => {
  folder = new SpecFolder();
  policy = folder.file('keycloak-permissions.json', POLICY);
});
afterAll(() => folder.remove());

const plan = async (...args: readonly string[]): Promise<Ran> =>
  realmCommand(['plan', '--permissions', policy, ...args]);

const planned = async (...names: readonly string[]): Promise<unknown> =>
  JSON.parse((await plan(...modules(...names), '--format', 'json')).printed);

describe('realm plan', () => {
  it('prints the clients, the permissions and the levels of authentication', async () => {
    const { exitCode, printed, failed } = await plan(...modules('orders', 'inventory', 'refunds'));
    expect(printed).toBe(`Clients
  inventory
  orders     exchanges tokens
  refunds

Clients of no given module
  warehouse
  web

Permissions
  orders.read    for orders     asked for by web                everyone may hold it
  refunds.read   for refunds    no client asks for it           held with agent of client refunds
  refunds.write  for refunds    no client asks for it           held with clerk
  stock.read     for inventory  asked for by orders, warehouse  held with clerk

Levels of authentication (acr)
  2 or gold  demanded by refunds
`);
    expect({ exitCode, failed }).toEqual({ exitCode: 0, failed: '' });
  });

  it('prints equal JSON for any order of the modules', async () => {
    const json = (await plan(...modules('orders', 'inventory'), '--format', 'json')).printed;
    expect((await plan(...modules('inventory', 'orders'), '--format', 'json')).printed).toBe(json);
    expect(JSON.parse(json)).toEqual({
      version: 1,
      clients: [
        { clientId: 'inventory', tokenExchange: false, serviceAccount: false, serviceAccountRoles: [] },
        { clientId: 'orders', tokenExchange: true, serviceAccount: false, serviceAccountRoles: [] },
      ],
      otherClients: ['warehouse', 'web'],
      permissions: [
        { name: 'orders.read', audience: 'orders', clients: ['web'], everyone: true },
        {
          name: 'stock.read',
          audience: 'inventory',
          clients: ['orders', 'warehouse'],
          roles: ['clerk'],
          description: 'Read the stock',
        },
      ],
      levels: [],
    });
  });

  it('plans the client of a called service, even if the module of this service is not given', async () => {
    expect(await planned('orders')).toMatchObject({
      otherClients: ['inventory', 'web'],
      permissions: [{ name: 'orders.read' }, { name: 'stock.read', audience: 'inventory', clients: ['orders'] }],
    });
    const inventory = await planned('inventory', 'refunds');
    expect(inventory).toMatchObject({ otherClients: ['orders', 'warehouse'] });
  });

  it('plans only the realm of --issuer, with the client id and the accepted scopes in that realm', async () => {
    expect(await planned('twoRealms')).toMatchObject({ clients: [{ clientId: 'two' }] });
    const partners = ['--issuer', 'https://sso.example.com/realms/partners', '--format', 'json'];
    const { printed, failed } = await plan(...modules('twoRealms'), ...partners);
    expect(JSON.parse(printed)).toMatchObject({
      clients: [{ clientId: 'at-partners' }],
      permissions: [{ name: 'orders.read', audience: 'at-partners' }],
    });
    expect(failed).toContain('at-partners is also at https://sso.example.com/realms/shop, which is not in this plan');
  });

  it('plans a service account for calls with asService(), with roles from the policy', async () => {
    const without = await plan(...modules('cron'));
    expect(without.failed).toContain(
      'cron asks for stock.read in its own name, but its service account has no role that may hold it (clerk)',
    );
    expect(without).toMatchObject({ exitCode: 1, printed: '' });
    const path = folder.file('accounts.json', { ...POLICY, serviceAccounts: { cron: ['clerk'] } });
    const { printed } = await realmCommand(['plan', '--permissions', path, ...modules('cron'), '--format', 'json']);
    expect(JSON.parse(printed)).toMatchObject({ clients: [{ serviceAccount: true, serviceAccountRoles: ['clerk'] }] });
  });

  it.each([
    ['web', 1, 'nobody: no role that may hold it (r of client web) is a realm role or a role of inventory'],
    ['inventory', 0, ''],
  ])('accepts roles of %s for a permission that is asked for by exchange: exit %s', async (client, code, fault) => {
    const roles = { ...POLICY.permissions, 'stock.read': { roles: [{ client, role: 'r' }] } };
    const path = folder.file(`exchange-${client}.json`, { ...POLICY, permissions: roles });
    const { exitCode, failed } = await realmCommand(['plan', '--permissions', path, ...modules('orders')]);
    expect(exitCode).toBe(code);
    expect(failed).toContain(fault);
  });

  it.each([
    ['listed', /listed: the scopes of inventory are one list\..*only if serviceAccounts names listed/],
    ['mapped', /mapped has mapPermissions, so the plan has no permission of its handlers/],
  ])('notes which requirements of the module %s are unknown', async (name, note) => {
    const { exitCode, failed } = await plan(...modules(name));
    expect(failed).toMatch(note);
    expect(exitCode).toBe(0);
  });

  it('notes requested permissions that no handler demands, and unused entries of the policy', async () => {
    const path = folder.file('misspelt.json', {
      permissions: { 'stock.raed': { everyone: true }, 'stock.read': { roles: ['clerk'] }, other: { everyone: true } },
      serviceAccounts: { nightly: ['clerk'] },
    });
    const { exitCode, failed } = await realmCommand([
      'plan',
      '--permissions',
      path,
      ...modules('misspelt', 'inventory'),
    ]);
    expect(failed).toContain('– misspelt asks for stock.raed, which no handler of inventory demands.');
    expect(failed).toContain('names permissions that these modules do not need: other.');
    expect(failed).toContain('names service accounts of other clients: nightly.');
    expect(exitCode).toBe(0);
  });
});

describe('the notes of realm plan about a client in @AllowClients', () => {
  const notesOf = async (name: string, clients: readonly string[]): Promise<string> => {
    const { permissions } = POLICY;
    const path = folder.file('reports.json', {
      permissions: {
        ...permissions,
        'reports.read': { everyone: true },
        'reports.write': { roles: ['clerk'], clients },
      },
    });
    const { failed } = await realmCommand(['plan', '--permissions', path, ...modules(name, 'orders')]);
    return failed.replaceAll(path, 'FILE');
  };

  it('ask for a choice in the policy if the handler accepts any of several permissions', async () => {
    expect(await notesOf('reports', [])).toContain(
      '– ReportsController.read (GET) of reports allows web, but does not say for which permission web asks (reports.read or reports.write). Name web in "clients" of one of them in FILE.\n',
    );
    expect(await notesOf('reports', ['web'])).not.toContain('ReportsController');
  });

  it('report a handler without a permission if the client may request no permission of the service', async () => {
    expect(await notesOf('status', [])).toContain(
      '– StatusController.read (GET) of status allows web and demands no permission, so the plan gives web no token for status.\n',
    );
    expect(await notesOf('reportsAndStatus', ['web'])).not.toContain('StatusController');
  });

  it('omit a client whose module is part of the plan', async () => {
    const notes = `${await notesOf('reports', [])}${await notesOf('status', [])}`;
    expect(notes).not.toContain('allows orders');
  });
});

describe('realm plan with a fault', () => {
  it.each<[string, readonly string[], RegExp]>([
    ['a service is registered without scopes', ['undeclared'], /the service inventory is registered without scopes/],
    ['a service is registered per request', ['perRequest'], /inventory is registered per request/],
    [
      'two modules have the same client id',
      ['inventory', 'secondInventory'],
      /#inventory and .*#secondInventory have the same client id inventory/,
    ],
    [
      'a permission has two owners',
      ['inventory', 'ledger'],
      /stock\.read has 2 owners: inventory \(StockController\.read \(GET\)\), ledger \(LedgerController\.read \(GET\)\)/,
    ],
    [
      'a caller and a handler name different owners of a permission',
      ['orders', 'ledger'],
      /stock\.read has 2 owners: inventory \(the service inventory of orders\), ledger/,
    ],
    [
      'two modules belong to different realms',
      ['orders', 'elsewhere'],
      /elsewhere is at .*\/realms\/other, not at .*\/realms\/shop/,
    ],
    ['the server is not Keycloak', ['notKeycloak'], /is not Keycloak \(profile rfc9068\)/],
  ])('prints nothing and exits with 1 if %s', async (_, names, fault) => {
    const { exitCode, printed, failed } = await plan(...modules(...names), '--out', join(folder.path, 'never.json'));
    expect(failed).toMatch(fault);
    expect({ exitCode, printed }).toEqual({ exitCode: 1, printed: '' });
    expect(existsSync(join(folder.path, 'never.json'))).toBe(false);
  });

  it.each(['text', 'json', 'realm'])('exits with 1 if the policy lacks a required permission (%s)', async (format) => {
    const path = folder.file('some.json', { permissions: { 'orders.read': { everyone: true } } });
    const args = ['plan', '--permissions', path, '--format', format, ...modules('orders', 'inventory')];
    const { exitCode, printed, failed } = await realmCommand(args);
    expect(failed).toMatch(/^✗ .*some\.json does not say who may hold stock\.read\. .* open to every user\.\n$/);
    expect({ exitCode, printed }).toEqual({ exitCode: 1, printed: '' });
  });

  it('prints nothing and exits with 1 if the policy file is missing', async () => {
    const { exitCode, printed, failed } = await realmCommand(['plan', ...modules('inventory')]);
    expect(failed).toBe(
      '✗ keycloak-permissions.json does not exist in the current folder. Create it there, or name another file with --permissions. It must say who may hold stock.read: add each to "permissions" with "roles", or with "everyone": true, because a client scope without a role is open to every user.\n',
    );
    expect({ exitCode, printed }).toEqual({ exitCode: 1, printed: '' });
  });
});

describe('realm plan --check', () => {
  const committed = (): string => join(folder.path, 'realm-requirements.json');
  beforeAll(async () => {
    await plan(...modules('orders', 'inventory'), '--out', committed());
  });

  it('exits with 0 if the file contains exactly what the code needs', async () => {
    expect(JSON.parse(readFileSync(committed(), 'utf8'))).toMatchObject({ version: 1 });
    const { exitCode, printed } = await plan(...modules('inventory', 'orders'), '--check', committed());
    expect(printed).toBe(`${committed()} is what the code needs.\n`);
    expect(exitCode).toBe(0);
  });

  it('exits with 1 and prints each difference', async () => {
    const { exitCode, printed } = await plan(...modules('inventory', 'refunds'), '--check', committed());
    expect(printed.split('\n').slice(1)).toEqual([
      '+ acr 2 or gold: services [refunds]',
      '- client orders: tokenExchange true, serviceAccount false, serviceAccountRoles none',
      '+ client refunds: tokenExchange false, serviceAccount false, serviceAccountRoles none',
      '+ other client orders: named',
      '- other client web: named',
      '- permission orders.read: audience orders, clients [web], everyone true',
      '+ permission refunds.read: audience refunds, clients none, roles [agent of client refunds]',
      '+ permission refunds.write: audience refunds, clients none, roles [clerk]',
      '',
    ]);
    expect(exitCode).toBe(1);
  });

  it('prints a change of the policy', async () => {
    const { 'stock.read': _, ...permissions } = POLICY.permissions;
    const path = folder.file('wider.json', { permissions: { ...permissions, 'stock.read': { everyone: true } } });
    const args = ['plan', '--permissions', path, ...modules('orders', 'inventory'), '--check', committed()];
    const { exitCode, printed } = await realmCommand(args);
    expect(printed).toContain('~ permission stock.read: roles: [clerk] → nothing\n');
    expect(printed).toContain('~ permission stock.read: everyone: nothing → true\n');
    expect(exitCode).toBe(1);
  });

  it('prints an invalid role in the file as a difference', async () => {
    const file = JSON.parse(readFileSync(committed(), 'utf8')) as { permissions: object[] };
    const permissions = file.permissions.map((permission) => ({ ...permission, roles: [null, { client: 'x' }] }));
    const path = folder.file('faulty-role.json', { ...file, permissions });
    const { exitCode, printed } = await plan(...modules('orders', 'inventory'), '--check', path);
    expect(printed).toContain('~ permission stock.read: roles: [null, {"client":"x"}] → [clerk]\n');
    expect(exitCode).toBe(1);
  });

  it('reports a file whose entries are in a different order', async () => {
    const file = JSON.parse(readFileSync(committed(), 'utf8')) as { clients: unknown[] };
    const path = folder.file('reversed.json', { ...file, clients: file.clients.toReversed() });
    const { exitCode, printed } = await plan(...modules('orders', 'inventory'), '--check', path);
    expect(printed).toContain('~ the order or the members of the file\n');
    expect(exitCode).toBe(1);
  });
});

describe('realm plan that can not run', () => {
  it.each<[string, readonly string[], string]>([
    ['without a module', [], '--module must be given'],
    ['for an unknown flag', ['--apply'], "Unknown option '--apply'"],
    ['for an unknown format', [...modules('orders'), '--format', 'toString'], '--format must be one of text, json'],
    ['for a module that can not be imported', ['--module', './nowhere.js'], "./nowhere.js can't be imported"],
    ['for a module that Nest can not create', modules('withoutDatabase'), "Nest can't create the module: no database"],
    [
      'for a missing file of requirements',
      [...modules('orders'), '--check', '/nowhere.json'],
      "can't be read (ENOENT)",
    ],
    ['for a placeholder as client id', modules('placeholder'), 'the plan must have neither ${ nor control'],
    [
      'for a realm that is not percent-encoded',
      [...modules('malformedRealm'), '--format', 'realm'],
      '/realms/100% names no realm: 100% is not percent-encoded',
    ],
    [
      'for a realm with a line break',
      [...modules('lineBreakRealm'), '--format', 'config-cli'],
      'the name of the realm must have neither ${ nor control, separator or invisible characters in a text: "a\\nb"',
    ],
    ['for two kinds of output', [...modules('orders'), '--check', 'x', '--format', 'json'], '--check excludes'],
    ['for an unwritable file', [...modules('orders'), '--out', '/nowhere/x.json'], "can't be written (ENOENT)"],
  ])('exits with 3 %s', async (_, args, message) => {
    const { exitCode, failed } = await plan(...args);
    expect(failed).toContain(`realm: `);
    expect(failed).toContain(message);
    expect(exitCode).toBe(3);
  });

  it.each<[string, unknown]>([
    ['another version', { version: 2, clients: [], otherClients: [], permissions: [], levels: [] }],
    ['no lists', { version: 1 }],
    ['null in place of an object', 'null'],
    ...Object.entries({
      clients: [null],
      otherClients: [null],
      permissions: [null],
      levels: [{ acr: [null], services: [] }],
    }).map(([member, value]): [string, unknown] => [
      `faulty ${member}`,
      { version: 1, clients: [], otherClients: [], permissions: [], levels: [], [member]: value },
    ]),
  ])('exits with 3 for a requirements file with %s', async (_, content) => {
    const { exitCode, failed } = await plan(...modules('orders'), '--check', folder.file('old.json', content));
    expect(failed).toContain('is not a file of realm requirements of version 1');
    expect(exitCode).toBe(3);
  });

  it('exits with 3 for a missing policy, and for an unknown command', async () => {
    expect((await plan('--permissions', '/nowhere.json', ...modules('orders'))).failed).toContain('does not exist');
    const { exitCode, failed } = await realmCommand(['apply']);
    expect(failed).toContain('the command must be realm plan or realm check');
    expect(exitCode).toBe(3);
  });
});

it.each([[['--help']], [['help']], [['plan', '--help']], [['check', '--help']]])(
  'realm %j prints the usage',
  async (args) => {
    expect(await realmCommand(args)).toEqual({ exitCode: 0, printed: REALM_USAGE, failed: '' });
  },
);
