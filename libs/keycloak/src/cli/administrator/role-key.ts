/** A role key is JSON, because the text `a.b` may mean a realm role `a.b` or the role `b` of the client `a`. */
export type RoleKey = `[${string}]`;

export const roleKey = (client: string | null, role: string): RoleKey => JSON.stringify([client, role]) as RoleKey;

const partsOf = (key: RoleKey): readonly [client: string | null, role: string] =>
  JSON.parse(key) as [string | null, string];

export const clientOfRole = (key: RoleKey): string | null => partsOf(key)[0];

export const nameInKey = (key: RoleKey): string => partsOf(key)[1];

export function nameOfRoleKey(key: RoleKey): string {
  const [client, role] = partsOf(key);
  return client === null ? role : `${role} of client ${client}`;
}

export const namesOfRoleKeys = (keys: readonly RoleKey[]): string => keys.map(nameOfRoleKey).join(', ');

export const realmRoleKeys = (roles: readonly string[]): readonly RoleKey[] => roles.map((role) => roleKey(null, role));

export const clientRoleKeys = (client: string, roles: readonly string[]): readonly RoleKey[] =>
  roles.map((role) => roleKey(client, role));
