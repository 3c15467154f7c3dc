import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import schema from '../../../keycloak-permissions.schema.json' with { type: 'json' };
import { POLICY, SpecFolder } from '../../../spec-support/realm-command.js';
import { policyOf, readPolicy } from './permission-policy.js';

let folder: SpecFolder;
beforeAll(() => {
  folder = new SpecFolder();
});
afterAll(() => folder.remove());

const FILE = 'keycloak-permissions.json';

describe('keycloak-permissions.json', () => {
  it('lists for each permission the roles that may hold the permission, or "everyone"', () => {
    const json = { ...POLICY, $schema: './schema.json', serviceAccounts: { cron: ['clerk'] } };
    const { permissions, serviceAccounts } = policyOf(json, FILE);
    expect([...permissions]).toEqual([
      ['orders.read', { everyone: true, clients: ['web'] }],
      ['stock.read', { roles: ['clerk'], description: 'Read the stock', clients: [] }],
      ['refunds.read', { roles: [{ client: 'refunds', role: 'agent' }], clients: [] }],
      ['refunds.write', { roles: ['clerk'], clients: [] }],
    ]);
    expect([...serviceAccounts]).toEqual([['cron', ['clerk']]]);
  });

  it.each<[string, unknown, string]>([
    ['neither roles nor everyone', {}, 'must have either "roles", or "everyone": true'],
    ['both roles and everyone', { roles: ['clerk'], everyone: true }, 'must have either "roles", or "everyone": true'],
    ['everyone: false', { everyone: false }, 'must have no "everyone" other than true'],
    ['the text true', { everyone: 'true' }, 'must have no "everyone" other than true'],
    ['no roles', { roles: [] }, 'must list roles'],
    ['a text instead of roles', { roles: 'clerk' }, 'must list roles'],
    ['an empty role', { roles: ['clerk', ' '] }, 'must list roles'],
    ['null as a role', { roles: [null] }, 'must list roles'],
    ['a role with an unknown member', { roles: [{ client: 'a', role: 'b', realm: 'c' }] }, 'must list roles'],
    ['a role twice', { roles: ['clerk', 'clerk'] }, 'has the same role twice'],
    ['an unknown member', { everyone: true, audience: 'orders' }, 'has the unknown member audience'],
    ['clients that are not a list', { everyone: true, clients: 'web' }, 'must have a list of client ids'],
    ['a description that is not a text', { everyone: true, description: 4 }, 'must have a text as description'],
    ['a list instead of an object', [], 'must have either "roles", or "everyone": true'],
  ])('is refused if a permission has %s', (_, permission, message) => {
    expect(() => policyOf({ permissions: { 'stock.read': permission } }, FILE)).toThrow(
      `${FILE} is invalid: permissions: stock.read ${message}`,
    );
  });

  it.each<[unknown, string]>([
    ['offline_access', 'offline_access'],
    ['uma_authorization', 'uma_authorization'],
    ['default-roles-shop', 'default-roles-shop'],
    [{ client: 'account', role: 'manage-account' }, 'manage-account of client account'],
    [{ client: 'account', role: 'manage-account-links' }, 'manage-account-links of client account'],
    [{ client: 'account', role: 'view-profile' }, 'view-profile of client account'],
  ])('is refused if a permission names the role %j, which everyone has', (role, name) => {
    expect(() => policyOf({ permissions: { 'stock.read': { roles: ['clerk', role] } } }, FILE)).toThrow(
      `stock.read names ${name}, which Keycloak gives to everyone. If everyone may hold it, write "everyone": true`,
    );
  });

  it('may name a role that only resembles a default role', () => {
    const roles = [
      'view-profile',
      { client: 'web', role: 'offline_access' },
      { client: 'account', role: 'view-groups' },
    ];
    expect(policyOf({ permissions: { 'stock.read': { roles } } }, FILE).permissions.get('stock.read')).toEqual({
      roles,
      clients: [],
    });
  });

  it.each<[string, unknown, string]>([
    ['is not an object', 4, 'the file must be an object'],
    ['has no permissions', {}, 'permissions must be an object'],
    ['has a list of permissions', { permissions: [] }, 'permissions must be an object'],
    ['has an unknown member', { permissions: {}, roles: {} }, 'roles is not a member of this file'],
    ['has a permission with a space', { permissions: { 'a b': { everyone: true } } }, '"a b" is not a scope token'],
    ['has service accounts without roles', { permissions: {}, serviceAccounts: { a: [] } }, 'serviceAccounts: a must'],
  ])('is refused if the file %s', (_, json, message) => {
    expect(() => policyOf(json, FILE)).toThrow(message);
  });

  it.each<[string, string]>([
    ['is not JSON', '{"permissions":'],
    ['has a permission twice', '{"permissions":{"a":{"roles":["clerk"]},"a":{"everyone":true}}}'],
  ])('is refused if the file %s', (_, text) => {
    expect(() => readPolicy(folder.file('faulty.json', text))).toThrow('is not JSON in UTF-8, or has the same member');
  });

  it.each<[string, unknown, string]>([
    ['a placeholder as role', { roles: ['${DB_PASSWORD}'] }, '"${DB_PASSWORD}"'],
    ['a placeholder in a description', { everyone: true, description: 'a ${b}' }, '"a ${b}"'],
    ['a placeholder as client of a role', { roles: [{ client: '${C}', role: 'x' }] }, '"${C}"'],
    ['a line break in a client', { everyone: true, clients: ['web\n#'] }, '"web\\n#"'],
    ['U+2028 in a role', { roles: ['a\u2028b'] }, '"a\\u{2028}b"'],
    ['U+0085 in a role', { roles: ['a\u0085b'] }, '"a\\u{85}b"'],
    ['U+202E in a role', { roles: ['a\u202eb'] }, '"a\\u{202e}b"'],
  ])('is refused if the file has %s', (_, permission, text) => {
    expect(() => policyOf({ permissions: { 'stock.read': permission } }, FILE)).toThrow(
      `${FILE} must have neither \${ nor control, separator or invisible characters in a text: ${text}`,
    );
  });

  it('is refused if the name of a permission or of a service account is a placeholder', () => {
    expect(() => policyOf({ permissions: { '${P}': { everyone: true } } }, FILE)).toThrow('in a text: "${P}"');
    const serviceAccounts = { '${S}': ['clerk'] };
    expect(() => policyOf({ permissions: {}, serviceAccounts }, FILE)).toThrow('in a text: "${S}"');
  });

  it('may be missing, but an existing file must be readable', () => {
    expect(readPolicy('/nowhere.json')).toBeUndefined();
    expect(() => readPolicy(folder.path)).toThrow("can't be read (EISDIR)");
  });
});

describe('the schema of keycloak-permissions.json', () => {
  const { permission, roles } = schema.$defs;

  it('has exactly the members that the command reads', () => {
    expect(Object.keys(schema.properties)).toEqual(['$schema', 'permissions', 'serviceAccounts']);
    const members = { roles: ['clerk'], everyone: true, clients: ['web'], description: 'x' };
    expect(Object.keys(permission.properties)).toEqual(Object.keys(members));
    const { everyone: _, ...read } = members;
    expect(policyOf({ permissions: { a: read } }, FILE).permissions.get('a')).toEqual(read);
  });

  it('demands either roles or everyone, and at least one role', () => {
    expect(permission.oneOf).toEqual([{ required: ['roles'] }, { required: ['everyone'] }]);
    expect([permission.properties.everyone.const, roles.minItems]).toEqual([true, 1]);
    expect([schema.additionalProperties, permission.additionalProperties]).toEqual([false, false]);
  });

  it('is published with the package', () => {
    const { files, exports } = JSON.parse(readFileSync('libs/keycloak/package.json', 'utf8')) as {
      readonly files: string[];
      readonly exports: Record<string, unknown>;
    };
    expect(files).toContain('keycloak-permissions.schema.json');
    expect(exports['./keycloak-permissions.schema.json']).toBe('./keycloak-permissions.schema.json');
  });
});
