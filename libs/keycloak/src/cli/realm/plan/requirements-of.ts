import { keyOfRole, nameOfRole, type Role } from '../../policy/holders.js';
import {
  compareTexts,
  sortedRoles,
  sortedTexts,
  VERSION,
  type RealmRequirements,
  type RequiredClient,
  type RequiredPermission,
} from '../realm-requirements.js';
import type { AdmissionOfService, CodeClient, CodePermission, CodeRequirements } from './code-requirements.js';
import { NO_POLICY, type PermissionPolicy } from '../../policy/permission-policy.js';

export interface RequirementsResult {
  readonly requirements: RealmRequirements;
  /** If there is a fault, the requirements are incomplete and must not be used. */
  readonly faults: readonly string[];
  readonly notes: readonly string[];
}

/** Without `given`, the file does not exist. */
export function requirementsOf(
  code: CodeRequirements,
  given: PermissionPolicy | undefined,
  file: string,
): RequirementsResult {
  const policy = given ?? NO_POLICY;
  const faults = [...code.faults];
  const permissions = code.permissions.flatMap((permission) => permissionWith(permission, policy) ?? []);
  const unsaid = code.permissions.map(({ name }) => name).filter((name) => !policy.permissions.has(name));
  if (unsaid.length > 0) {
    const fault =
      given === undefined
        ? `${file} does not exist in the current folder. Create it there, or name another file with --permissions. It must say who may hold ${unsaid.join(', ')}: add each`
        : `${file} does not say who may hold ${unsaid.join(', ')}. Add each`;
    faults.push(
      `${fault} to "permissions" with "roles", or with "everyone": true, because a client scope without a role is open to every user.`,
    );
  }
  const clients = code.clients.map((client) => clientWith(client, policy));
  faults.push(...code.clients.flatMap((client) => accountFaults(client, permissions, policy, file)));
  faults.push(...code.clients.flatMap((client) => exchangeFaults(client, permissions, file)));
  const planned = new Set(clients.map(({ clientId }) => clientId));
  const named = permissions.flatMap(({ audience, clients: askers }) => [audience, ...askers]);
  return {
    requirements: {
      version: VERSION,
      clients,
      otherClients: sortedTexts(named.filter((clientId) => !planned.has(clientId))),
      permissions,
      levels: code.levels,
    },
    faults,
    notes: [
      ...code.notes,
      ...code.admissions.flatMap((each) => notesOnAdmission(each, planned, permissions, file)),
      ...unneeded(code, policy, file),
    ],
  };
}

function permissionWith(permission: CodePermission, policy: PermissionPolicy): RequiredPermission | undefined {
  const { name, audience, clients } = permission;
  const said = policy.permissions.get(name);
  if (said === undefined) return undefined;
  const { roles, everyone, description } = said;
  return {
    name,
    audience,
    clients: sortedTexts([...clients, ...said.clients]),
    ...(roles === undefined ? {} : { roles: sortedRoles(roles) }),
    ...(everyone === undefined ? {} : { everyone }),
    ...(description === undefined ? {} : { description }),
  };
}

function clientWith({ clientId, tokenExchange, asService }: CodeClient, policy: PermissionPolicy): RequiredClient {
  const roles = policy.serviceAccounts.get(clientId) ?? [];
  return {
    clientId,
    tokenExchange,
    serviceAccount: asService.length > 0 || roles.length > 0,
    serviceAccountRoles: sortedRoles(roles),
  };
}

/** Does not add missing roles to a service account, because a role may grant more than the required permissions. */
function accountFaults(
  { clientId, asService }: CodeClient,
  permissions: readonly RequiredPermission[],
  policy: PermissionPolicy,
  file: string,
): string[] {
  const had = new Set((policy.serviceAccounts.get(clientId) ?? []).map(keyOfRole));
  return permissions.flatMap(({ name, roles = [] }) => {
    if (!asService.includes(name) || roles.length === 0 || roles.some((role) => had.has(keyOfRole(role)))) return [];
    return [
      `${clientId} asks for ${name} in its own name, but its service account has no role that may hold it (${roles.map(nameOfRole).join(', ')}). Name one in "serviceAccounts" of ${file}.`,
    ];
  });
}

/** For a token exchange with an audience, Keycloak regards only realm roles and the roles of the audience. */
function exchangeFaults(
  { clientId, onBehalfOf }: CodeClient,
  permissions: readonly RequiredPermission[],
  file: string,
): string[] {
  return permissions
    .filter(({ name }) => onBehalfOf.includes(name))
    .filter(({ audience, roles = [] }) => roles.length > 0 && roles.every((role) => isOfAnother(role, audience)))
    .map(
      ({ name, audience, roles = [] }) =>
        `${clientId} asks for ${name} on behalf of users, but Keycloak grants it to nobody: no role that may hold it (${roles.map(nameOfRole).join(', ')}) is a realm role or a role of ${audience}. Name one in "roles" of ${file}.`,
    );
}

const isOfAnother = (role: Role, audience: string): boolean => typeof role !== 'string' && role.client !== audience;

function notesOnAdmission(
  { handler, clientId, clients, anyOf }: AdmissionOfService,
  planned: ReadonlySet<string>,
  permissions: readonly RequiredPermission[],
  file: string,
): string[] {
  return clients
    .filter((client) => !planned.has(client))
    .flatMap((client) => {
      const asked = permissions
        .filter(({ audience, clients: askers }) => audience === clientId && askers.includes(client))
        .map(({ name }) => name);
      if (anyOf.length === 0) {
        return asked.length > 0
          ? []
          : [
              `${handler} of ${clientId} allows ${client} and demands no permission, so the plan gives ${client} no token for ${clientId}.`,
            ];
      }
      return anyOf
        .filter((names) => !names.some((name) => asked.includes(name)))
        .map(
          (names) =>
            `${handler} of ${clientId} allows ${client}, but does not say for which permission ${client} asks (${names.join(' or ')}). Name ${client} in "clients" of one of them in ${file}.`,
        );
    });
}

function unneeded({ permissions, clients }: CodeRequirements, policy: PermissionPolicy, file: string): string[] {
  const known = new Set(permissions.map(({ name }) => name));
  const planned = new Set(clients.map(({ clientId }) => clientId));
  const others = [...policy.permissions.keys()].filter((name) => !known.has(name));
  const accounts = [...policy.serviceAccounts.keys()].filter((clientId) => !planned.has(clientId));
  return [
    ...(others.length === 0
      ? []
      : [`${file} names permissions that these modules do not need: ${others.toSorted(compareTexts).join(', ')}.`]),
    ...(accounts.length === 0
      ? []
      : [`${file} names service accounts of other clients: ${accounts.toSorted(compareTexts).join(', ')}.`]),
  ];
}
