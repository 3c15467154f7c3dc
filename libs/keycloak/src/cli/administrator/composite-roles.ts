import { AdminApiError, type AdminApi, type Representation } from './admin-api.js';
import { clientOfRole, clientRoleKeys, realmRoleKeys, roleKey, type RoleKey } from './role-key.js';
import { recordOf, textOf } from './representation.js';

/**
 * Keycloak lists the roles of one client at a time, and `clientMappings` lacks clients whose roles are only within
 * composite roles.
 */
export async function mappedRoles(api: AdminApi, path: string): Promise<readonly RoleKey[]> {
  const direct = await api.read(path);
  const ofClients = Object.values(recordOf(direct['clientMappings'])).map(async (mapping) => {
    const { id, client } = recordOf(mapping);
    const roles = await api.readList(`${path}/clients/${textOf(id)}/composite`);
    return { roles, keys: clientRoleKeys(textOf(client), namesIn(roles)) };
  });
  const ofRealm = await api.readList(`${path}/realm/composite`);
  const mapped = [{ roles: ofRealm, keys: realmRoleKeys(namesIn(ofRealm)) }, ...(await Promise.all(ofClients))];
  const composites = mapped.flatMap(({ roles }) => roles).filter(({ composite }) => composite === true);
  return [...new Set([...mapped.flatMap(({ keys }) => keys), ...(await rolesWithin(api, ...composites))])];
}

const namesIn = (roles: readonly Representation[]): readonly string[] => roles.map(({ name }) => textOf(name));

/** Keycloak's groups inherit the roles of the groups above them. */
export async function rolesOfDefaultGroups(api: AdminApi): Promise<ReadonlyMap<string, ReadonlySet<RoleKey>>> {
  const groups = await api.readList('/default-groups');
  const entries = groups.map(
    async (group) => [textOf(group['path']), new Set(await rolesOfGroup(api, group))] as const,
  );
  return new Map(await Promise.all(entries));
}

async function rolesOfGroup(api: AdminApi, { id, parentId }: Representation): Promise<readonly RoleKey[]> {
  const above = textOf(parentId) === '' ? [] : await rolesOfGroup(api, await api.read(`/groups/${textOf(parentId)}`));
  return [...above, ...(await mappedRoles(api, `/groups/${textOf(id)}/role-mappings`))];
}

interface Owner {
  readonly id: string;
  readonly clientId: string;
}

export function rolesKnownTo(api: AdminApi, clients: readonly Owner[]): (role: RoleKey) => Promise<boolean> {
  const reading = new Map<string, Promise<ReadonlySet<RoleKey>>>();
  const read = async (path: string, client: string | null): Promise<ReadonlySet<RoleKey>> =>
    new Set(namesIn(await api.readPages(path)).map((name) => roleKey(client, name)));
  return async (role) => {
    const client = clientOfRole(role);
    const owner = clients.find(({ clientId }) => clientId === client);
    if (client !== null && owner === undefined) return false;
    const path = owner === undefined ? '/roles' : `/clients/${owner.id}/roles`;
    const known = reading.get(path) ?? read(path, client);
    reading.set(path, known);
    return (await known).has(role);
  };
}

const MAX_ROLES = 1000;

export async function rolesWithin(api: AdminApi, ...roles: readonly Representation[]): Promise<ReadonlySet<RoleKey>> {
  const seen = new Map<string, Representation>();
  const waiting = [...roles];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const id = textOf(next['id']);
    if (id === '' || seen.has(id)) continue;
    if (seen.size >= MAX_ROLES) throw new AdminApiError(`a role has more than ${MAX_ROLES} roles`, 200);
    seen.set(id, next);
    if (next['composite'] === true) waiting.push(...(await api.readList(`/roles-by-id/${id}/composites`)));
  }
  const clientIds = new Map<string, string>();
  const keys = new Set<RoleKey>();
  for (const { name, clientRole, containerId } of seen.values()) {
    const id = clientRole === true ? textOf(containerId) : '';
    if (id !== '' && !clientIds.has(id)) clientIds.set(id, textOf((await api.read(`/clients/${id}`))['clientId']));
    keys.add(roleKey(clientIds.get(id) ?? null, textOf(name)));
  }
  return keys;
}
