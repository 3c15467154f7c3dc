import { AdminApiError, type AdminApi, type Representation } from './admin-api.js';
import { clientRoleKeys, realmRoleKeys, roleKey, type RoleKey } from './role-key.js';
import { recordOf, textOf } from './representation.js';

/** Keycloak lists composite and group roles only for one client at a time. */
export async function mappedRoles(api: AdminApi, path: string): Promise<readonly RoleKey[]> {
  const direct = await api.read(path);
  const ofClients = Object.values(recordOf(direct['clientMappings'])).map(async (mapping) => {
    const { id, client } = recordOf(mapping);
    const roles = await api.readList(`${path}/clients/${textOf(id)}/composite`);
    return clientRoleKeys(textOf(client), namesIn(roles));
  });
  const ofRealm = await api.readList(`${path}/realm/composite`);
  return [...realmRoleKeys(namesIn(ofRealm)), ...(await Promise.all(ofClients)).flat()];
}

const namesIn = (roles: readonly Representation[]): readonly string[] => roles.map(({ name }) => textOf(name));

const MAX_ROLES = 1000;

/** Returns the role and all roles within it. */
export async function rolesWithin(api: AdminApi, role: Representation): Promise<ReadonlySet<RoleKey>> {
  const seen = new Map<string, Representation>();
  const waiting = [role];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const id = textOf(next['id']);
    if (id === '' || seen.has(id)) continue;
    if (seen.size >= MAX_ROLES) throw new AdminApiError(`a role has more than ${MAX_ROLES} roles`, 200);
    seen.set(id, next);
    if (next['composite'] === true) waiting.push(...(await api.readList(`/roles-by-id/${id}/composites`)));
  }
  return new Set(await Promise.all([...seen.values()].map(async (each) => keyOf(api, each))));
}

async function keyOf(api: AdminApi, { name, clientRole, containerId }: Representation): Promise<RoleKey> {
  if (clientRole !== true) return roleKey(null, textOf(name));
  const { clientId } = await api.read(`/clients/${textOf(containerId)}`);
  return roleKey(textOf(clientId), textOf(name));
}
