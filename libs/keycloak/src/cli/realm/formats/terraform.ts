import { keyOfRole, type Role } from '../../policy/holders.js';
import type { RealmRequirements, RequiredPermission } from '../realm-requirements.js';
import { scopesOfClient } from './scope-representations.js';
import {
  block,
  inline,
  lines,
  list,
  map,
  reference,
  TerraformNames,
  text,
  type Expression,
} from './terraform-syntax.js';

export function terraformModule(requirements: RealmRequirements): string {
  const { permissions } = requirements;
  const names = new TerraformNames();
  const roles = new Map(permissions.flatMap((each) => each.roles ?? []).map((role) => [keyOfRole(role), role]));
  const clients = new Set([...roles.values()].flatMap((role) => (typeof role === 'string' ? [] : [role.client])));
  return [
    HEAD,
    ...[...clients].map((client) =>
      block('data "keycloak_openid_client"', names.of('client', client), [{ ...REALM, client_id: text(client) }]),
    ),
    ...[...roles.values()].map((role) => roleData(role, names)),
    ...permissions.flatMap((permission) => scopeResources(permission, names)),
    ...outputs(requirements, names),
  ].join('\n');
}

const HEAD = `# Rendered by: nestjs-keycloak-s2s realm plan --format terraform

terraform {
  required_providers {
    keycloak = {
      source  = "keycloak/keycloak"
      version = ">= 5.0.0"
    }
  }
}

variable "realm_id" {
  type        = string
  description = "The id of the realm, such as keycloak_realm.shop.id"
}
`;

const REALM = { realm_id: reference('var.realm_id') };

function roleData(role: Role, names: TerraformNames): string {
  const members =
    typeof role === 'string'
      ? { name: text(role) }
      : {
          client_id: reference(`data.keycloak_openid_client.${names.of('client', role.client)}.id`),
          name: text(role.role),
        };
  return block('data "keycloak_role"', roleName(role, names), [{ ...REALM, ...members }]);
}

function scopeResources(permission: RequiredPermission, names: TerraformNames): string[] {
  const { name, audience, description, roles = [] } = permission;
  const label = names.of('scope', name);
  const scope = { client_scope_id: reference(`keycloak_openid_client_scope.${label}.id`) };
  const described: Record<string, Expression> = description === undefined ? {} : { description: text(description) };
  return [
    block('resource "keycloak_openid_client_scope"', label, [
      { ...REALM, name: text(name), ...described, include_in_token_scope: reference('true') },
    ]),
    block('resource "keycloak_openid_audience_protocol_mapper"', label, [
      {
        ...REALM,
        ...scope,
        name: text(`audience ${audience}`),
        included_client_audience: text(audience),
        add_to_id_token: reference('false'),
      },
    ]),
    ...roles.map((role) =>
      block('resource "keycloak_generic_role_mapper"', mapperName(name, role, names), [
        { ...REALM, ...scope, role_id: reference(`data.keycloak_role.${roleName(role, names)}.id`) },
      ]),
    ),
  ];
}

const labelOf = (role: Role): string => (typeof role === 'string' ? role : `${role.client} ${role.role}`);

const roleName = (role: Role, names: TerraformNames): string => names.of('role', keyOfRole(role), labelOf(role));

const mapperName = (permission: string, role: Role, names: TerraformNames): string =>
  names.of('mapper', `${permission} ${keyOfRole(role)}`, `${permission} ${labelOf(role)}`);

const accountRole = (role: Role): Expression =>
  typeof role === 'string' ? text(role) : inline({ client_id: text(role.client), name: text(role.role) });

/** The outputs depend on the mappers, because a client scope is open to everyone until its role mappings exist. */
function outputs(requirements: RealmRequirements, names: TerraformNames): string[] {
  const { clients, otherClients, permissions } = requirements;
  const scopes = [...clients.map(({ clientId }) => clientId), ...otherClients]
    .map((clientId) => [clientId, list(scopesOfClient(requirements, clientId).map(text))] as const)
    .filter(([clientId]) => scopesOfClient(requirements, clientId).length > 0);
  const mappers = permissions.flatMap(({ name, roles = [] }) => [
    reference(`keycloak_openid_audience_protocol_mapper.${names.of('scope', name)}`),
    ...roles.map((role) => reference(`keycloak_generic_role_mapper.${mapperName(name, role, names)}`)),
  ]);
  const exchanging = clients.filter(({ tokenExchange }) => tokenExchange);
  const accounts = clients.filter(({ serviceAccount }) => serviceAccount);
  return [
    block('output', 'optional_scopes', [
      { description: text('The optional client scopes of each client') },
      { value: map(scopes) },
      { depends_on: lines(mappers) },
    ]),
    block('output', 'token_exchange_clients', [
      { description: text('The clients that need standard_token_exchange_enabled') },
      { value: list(exchanging.map(({ clientId }) => text(clientId))) },
    ]),
    block('output', 'service_accounts', [
      { description: text('The clients that need service_accounts_enabled, and the roles of each account') },
      { value: map(accounts.map((each) => [each.clientId, list(each.serviceAccountRoles.map(accountRole))])) },
    ]),
  ];
}
