import { AdminApiError, type AdminApi, type Representation } from './admin-api.js';
import { recordOf, textOf } from './representation.js';

/** Keycloak lists composite and group roles only for one client at a time. */
export async function mappedRoles(api: AdminApi, path: string): Promise<readonly string[]> {
  const direct = await api.read(path);
  const ofClients = Object.values(recordOf(direct['clientMappings'])).map(async (mapping) => {
    const { id, client } = recordOf(mapping);
    const roles = await api.readList(`${path}/clients/${textOf(id)}/composite`);
    return roles.map(({ name }) => `${textOf(client)}.${textOf(name)}`);
  });
  const ofRealm = await api.readList(`${path}/realm/composite`);
  return [...ofRealm.map(({ name }) => textOf(name)), ...(await Promise.all(ofClients)).flat()];
}

const MAX_ROLES = 1000;

/** Returns the names of the role and of all roles within it. A client role has the form `client.role`. */
export async function rolesWithin(api: AdminApi, role: Representation): Promise<ReadonlySet<string>> {
  const seen = new Map<string, Representation>();
  const waiting = [role];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const id = textOf(next['id']);
    if (id === '' || seen.has(id)) continue;
    if (seen.size >= MAX_ROLES) throw new AdminApiError(`a role has more than ${MAX_ROLES} roles`, 200);
    seen.set(id, next);
    if (next['composite'] === true) waiting.push(...(await api.readList(`/roles-by-id/${id}/composites`)));
  }
  return new Set(await Promise.all([...seen.values()].map(async (each) => nameOf(api, each))));
}

async function nameOf(api: AdminApi, { name, clientRole, containerId }: Representation): Promise<string> {
  if (clientRole !== true) return textOf(name);
  const { clientId } = await api.read(`/clients/${textOf(containerId)}`);
  return `${textOf(clientId)}.${textOf(name)}`;
}
