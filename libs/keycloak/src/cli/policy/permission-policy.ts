import { readFileSync } from 'node:fs';
import { isStrictJson } from '../../authorization-server/strict-json.js';
import { isScopeToken } from '../../protocol/scope.js';
import { UsageError } from '../usage-error.js';
import { isRoleOfEveryone } from '../administrator/default-roles.js';
import { refuseOtherThanPlain, textsIn } from './plain-texts.js';
import { keyOfRole, nameOfRole, type Holders, type Role } from './holders.js';

export interface PermissionPolicy {
  readonly permissions: ReadonlyMap<string, PolicyOfPermission>;
  readonly serviceAccounts: ReadonlyMap<string, readonly Role[]>;
}

export interface PolicyOfPermission extends Holders {
  readonly clients: readonly string[];
  readonly description?: string;
}

export const PERMISSIONS_FILE = 'keycloak-permissions.json';

export const NO_POLICY: PermissionPolicy = { permissions: new Map(), serviceAccounts: new Map() };

/** Reads the file of the flag `--permissions`. Without the flag, reads the file of the current folder, if it exists. */
export function givenPolicy(flag: string | undefined): PermissionPolicy | undefined {
  const policy = readPolicy(flag ?? PERMISSIONS_FILE);
  if (policy === undefined && flag !== undefined) throw new UsageError(`${flag} does not exist`);
  return policy;
}

export const mayBeHeldByEveryone = ({ permissions }: PermissionPolicy, name: string): boolean =>
  permissions.get(name)?.everyone === true;

export function readPolicy(path: string): PermissionPolicy | undefined {
  let text: Buffer;
  try {
    text = readFileSync(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new UsageError(`${path} can't be read (${String(code)})`);
  }
  if (!isStrictJson(text)) {
    throw new UsageError(`${path} is not JSON in UTF-8, or has the same member twice`);
  }
  return policyOf(JSON.parse(text.toString()), path);
}

export function policyOf(json: unknown, path: string): PermissionPolicy {
  refuseOtherThanPlain(textsIn(json), path);
  const faults: string[] = [];
  const fault = (where: string, message: string): void => void faults.push(`${where} ${message}`);
  const { $schema: _, permissions, serviceAccounts = {}, ...others } = recordOf(json) ?? {};
  if (recordOf(json) === undefined) fault('the file', 'must be an object');
  if (recordOf(permissions) === undefined) fault('permissions', 'must be an object');
  if (recordOf(serviceAccounts) === undefined) fault('serviceAccounts', 'must be an object');
  for (const name of Object.keys(others)) fault(name, 'is not a member of this file');
  const policy = {
    permissions: new Map(
      Object.entries(recordOf(permissions) ?? {}).map(([name, given]) => {
        if (!isScopeToken(name)) fault(`permissions: ${JSON.stringify(name)}`, 'is not a scope token (RFC 6749 §3.3)');
        return [name, permissionOf(given, (message) => fault(`permissions: ${name}`, message))];
      }),
    ),
    serviceAccounts: new Map(
      Object.entries(recordOf(serviceAccounts) ?? {}).map(([client, given]) => [
        client,
        rolesOf(given, (message) => fault(`serviceAccounts: ${client}`, message)),
      ]),
    ),
  };
  if (faults.length > 0) throw new UsageError(`${path} is invalid: ${faults.join('; ')}`);
  return policy;
}

type Fault = (message: string) => void;

function permissionOf(given: unknown, fault: Fault): PolicyOfPermission {
  const { roles, everyone, clients = [], description, ...others } = recordOf(given) ?? {};
  for (const name of Object.keys(others)) fault(`has the unknown member ${name}`);
  if ((roles === undefined) === (everyone === undefined)) {
    fault('must have either "roles", or "everyone": true');
  }
  if (everyone !== undefined && everyone !== true) fault('must have no "everyone" other than true');
  if (description !== undefined && typeof description !== 'string') fault('must have a text as description');
  return {
    ...(roles === undefined ? {} : { roles: holdersOf(roles, fault) }),
    ...(everyone === true ? { everyone } : {}),
    ...(typeof description === 'string' ? { description } : {}),
    clients: namesIn(clients, () => fault('must have a list of client ids as clients')),
  };
}

function holdersOf(given: unknown, fault: Fault): readonly Role[] {
  const roles = rolesOf(given, fault);
  const open = roles.filter((role) => isRoleOfEveryone(keyOfRole(role))).map(nameOfRole);
  if (open.length > 0) {
    fault(
      `names ${open.join(', ')}, which Keycloak gives to everyone. If everyone may hold it, write "everyone": true`,
    );
  }
  return roles;
}

function rolesOf(given: unknown, fault: Fault): readonly Role[] {
  const roles = Array.isArray(given) ? given.flatMap((role) => roleOf(role) ?? []) : [];
  if (!Array.isArray(given) || given.length === 0 || roles.length < given.length) {
    fault('must list roles, each as "<realm role>" or { "client": "…", "role": "…" }');
  }
  if (new Set(roles.map(keyOfRole)).size < roles.length) fault('has the same role twice');
  return roles;
}

function roleOf(given: unknown): Role | undefined {
  if (isName(given)) return given;
  const { client, role, ...others } = recordOf(given) ?? {};
  return isName(client) && isName(role) && Object.keys(others).length === 0 ? { client, role } : undefined;
}

function namesIn(given: unknown, fault: () => void): readonly string[] {
  if (Array.isArray(given) && given.every(isName)) return given;
  fault();
  return [];
}

const isName = (value: unknown): value is string => typeof value === 'string' && value.trim() !== '';

const recordOf = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
