import { nameOfRoleKey, roleKey, type RoleKey } from '../administrator/role-key.js';

/** Either `roles` has at least one role, or `everyone` is true. */
export interface Holders {
  readonly roles?: readonly Role[];
  readonly everyone?: true;
}

/** A string is the name of a realm role. */
export type Role = string | { readonly client: string; readonly role: string };

export const keyOfRole = (role: Role): RoleKey =>
  typeof role === 'string' ? roleKey(null, role) : roleKey(role.client, role.role);

export const nameOfRole = (role: Role): string => nameOfRoleKey(keyOfRole(role));
