import { describe, expect, it } from '@jest/globals';
import type { RealmRequirements, RequiredPermission } from '../realm-requirements.js';
import { terraformModule } from './terraform.js';

const STOCK: RequiredPermission = {
  name: 'stock.read',
  audience: 'inventory',
  clients: ['orders', 'web'],
  roles: ['clerk', { client: 'inventory', role: 'reader' }],
};

const REQUIREMENTS: RealmRequirements = {
  version: 1,
  clients: [
    { clientId: 'cron', tokenExchange: false, serviceAccount: true, serviceAccountRoles: ['clerk'] },
    { clientId: 'inventory', tokenExchange: false, serviceAccount: false, serviceAccountRoles: [] },
    { clientId: 'orders', tokenExchange: true, serviceAccount: false, serviceAccountRoles: [] },
  ],
  otherClients: ['web'],
  permissions: [{ name: 'orders.read', audience: 'orders', clients: ['web'], everyone: true }, STOCK],
  levels: [],
};

const moduleWith = (permission: Partial<RequiredPermission>): string =>
  terraformModule({ ...REQUIREMENTS, permissions: [{ ...STOCK, ...permission }] });

describe('the format terraform', () => {
  const module = terraformModule(REQUIREMENTS);

  it('contains each permission as a client scope with an audience mapper and role mappers', () => {
    expect(module).toContain(`resource "keycloak_openid_client_scope" "stock_read" {
  realm_id               = var.realm_id
  name                   = "stock.read"
  include_in_token_scope = true
}

resource "keycloak_openid_audience_protocol_mapper" "stock_read" {
  realm_id                 = var.realm_id
  client_scope_id          = keycloak_openid_client_scope.stock_read.id
  name                     = "audience inventory"
  included_client_audience = "inventory"
  add_to_id_token          = false
}

resource "keycloak_generic_role_mapper" "stock_read_clerk" {
  realm_id        = var.realm_id
  client_scope_id = keycloak_openid_client_scope.stock_read.id
  role_id         = data.keycloak_role.clerk.id
}

resource "keycloak_generic_role_mapper" "stock_read_inventory_reader" {
  realm_id        = var.realm_id
  client_scope_id = keycloak_openid_client_scope.stock_read.id
  role_id         = data.keycloak_role.inventory_reader.id
}
`);
  });

  it('uses roles and clients only as data sources', () => {
    expect(module).toContain(`data "keycloak_role" "inventory_reader" {
  realm_id  = var.realm_id
  client_id = data.keycloak_openid_client.inventory.id
  name      = "reader"
}
`);
    const managed = [...module.matchAll(/^resource "(\w+)"/gm)].map(([, type]) => type);
    expect([...new Set(managed)].toSorted()).toEqual([
      'keycloak_generic_role_mapper',
      'keycloak_openid_audience_protocol_mapper',
      'keycloak_openid_client_scope',
    ]);
  });

  it('outputs the scopes of clients only after the mappers of the scopes exist', () => {
    expect(module).toContain(`output "optional_scopes" {
  description = "The optional client scopes of each client"

  value = {
    "orders" = ["stock.read"]
    "web"    = ["orders.read", "stock.read"]
  }

  depends_on = [
    keycloak_openid_audience_protocol_mapper.orders_read,
    keycloak_openid_audience_protocol_mapper.stock_read,
    keycloak_generic_role_mapper.stock_read_clerk,
    keycloak_generic_role_mapper.stock_read_inventory_reader,
  ]
}
`);
    expect(module).toContain('value = ["orders"]\n');
    expect(module).toContain('"cron" = ["clerk"]\n');
  });

  it('distinguishes a realm role from a client role with the same dotted name', () => {
    const dotted = moduleWith({ roles: ['inventory.reader', { client: 'inventory', role: 'reader' }] });
    expect(dotted).toContain(
      'data "keycloak_role" "inventory_reader" {\n  realm_id = var.realm_id\n  name     = "inventory.reader"\n',
    );
    expect(dotted).toMatch(
      /data "keycloak_role" "inventory_reader_2" \{\n.*\n  client_id = data\.keycloak_openid_client\.inventory\.id\n/,
    );
    for (const label of ['inventory_reader', 'inventory_reader_2']) {
      expect(dotted).toContain(`role_id         = data.keycloak_role.${label}.id\n`);
    }
  });

  it('outputs the client id with each client role of a service account', () => {
    const account = { clientId: 'cron', tokenExchange: false, serviceAccount: true };
    const serviceAccountRoles = ['web.agent', { client: 'web', role: 'agent' }];
    const rendered = terraformModule({ ...REQUIREMENTS, clients: [{ ...account, serviceAccountRoles }] });
    expect(rendered).toContain('"cron" = ["web.agent", { client_id = "web", name = "agent" }]\n');
  });

  it('creates different identifiers for names that differ only in punctuation', () => {
    const permissions = ['stock.read', 'stock_read', 'stock-read', '9'].map((name) => ({ ...STOCK, name }));
    const labels = [...terraformModule({ ...REQUIREMENTS, permissions }).matchAll(/client_scope" "(\w+)"/g)];
    expect(labels.map(([, label]) => label)).toEqual(['stock_read', 'stock_read_2', 'stock_read_3', '_9']);
  });

  it('escapes names, so that Terraform does not evaluate names as expressions', () => {
    const evil = moduleWith({ description: 'a"\n${file("/etc/passwd")} %{ if true } \\ \b$${x}', roles: ['${var.x}'] });
    expect(evil).toContain('  name     = "$${var.x}"\n');
    expect(evil).toContain('= "a\\"\\n$${file(\\"/etc/passwd\\")} %%{ if true } \\\\  $$${x}"\n');
  });

  it('keeps backslashes in names, and uses only escapes that HCL supports', () => {
    const rendered = moduleWith({ roles: ['CORP\\bob', 'CORP\\f', 'a\bb\fc'] });
    const names = [...rendered.matchAll(/^  name     = (".*")$/gm)].map(([, name = '']) => JSON.parse(name) as string);
    expect(names).toEqual(['CORP\\bob', 'CORP\\f', 'a b c']);
  });

  it('is valid without permissions', () => {
    const empty = terraformModule({ ...REQUIREMENTS, permissions: [] });
    expect(empty).toContain('  value = {}\n\n  depends_on = []\n');
  });
});
