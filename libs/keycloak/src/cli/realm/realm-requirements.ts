import { nameOfRoleKey, roleKey, type RoleKey } from '../administrator/role-key.js';

export interface RealmRequirements {
  readonly version: typeof VERSION;
  readonly clients: readonly RequiredClient[];
  /** The called services and the allowed clients whose modules are not part of the plan. */
  readonly otherClients: readonly string[];
  readonly permissions: readonly RequiredPermission[];
  readonly levels: readonly RequiredLevel[];
}

export const VERSION = 1;

export const PERMISSIONS_FILE = 'keycloak-permissions.json';

export interface RequiredClient {
  readonly clientId: string;
  readonly tokenExchange: boolean;
  readonly serviceAccount: boolean;
  readonly serviceAccountRoles: readonly Role[];
}

export interface RequiredPermission extends Holders {
  readonly name: string;
  readonly audience: string;
  readonly clients: readonly string[];
  readonly description?: string;
}

/** Either `roles` has at least one role, or `everyone` is true. */
export interface Holders {
  readonly roles?: readonly Role[];
  readonly everyone?: true;
}

/** A string is the name of a realm role. */
export type Role = string | { readonly client: string; readonly role: string };

export interface RequiredLevel {
  readonly acr: readonly string[];
  readonly services: readonly string[];
}

export const keyOfRole = (role: Role): RoleKey =>
  typeof role === 'string' ? roleKey(null, role) : roleKey(role.client, role.role);

export const nameOfRole = (role: Role): string => nameOfRoleKey(keyOfRole(role));

export const sortedRoles = (roles: readonly Role[]): readonly Role[] =>
  roles.toSorted(
    (one, other) => compareTexts(nameOfRole(one), nameOfRole(other)) || compareTexts(keyOfRole(one), keyOfRole(other)),
  );

/** Compares by code units, so that the order is the same on each machine. */
export const compareTexts = (one: string, other: string): number => (one < other ? -1 : Number(one > other));

export const sortedTexts = (texts: Iterable<string>): readonly string[] => [...new Set(texts)].toSorted(compareTexts);
