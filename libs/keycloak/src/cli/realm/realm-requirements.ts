import { keyOfRole, nameOfRole, type Holders, type Role } from '../policy/holders.js';

export interface RealmRequirements {
  readonly version: typeof VERSION;
  readonly clients: readonly RequiredClient[];
  /** The called services and the allowed clients whose modules are not part of the plan. */
  readonly otherClients: readonly string[];
  readonly permissions: readonly RequiredPermission[];
  readonly levels: readonly RequiredLevel[];
}

export const VERSION = 1;

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

export interface RequiredLevel {
  readonly acr: readonly string[];
  readonly services: readonly string[];
}

export const sortedRoles = (roles: readonly Role[]): readonly Role[] =>
  roles.toSorted(
    (one, other) => compareTexts(nameOfRole(one), nameOfRole(other)) || compareTexts(keyOfRole(one), keyOfRole(other)),
  );

/** Compares by code units, so that the order is the same on each machine. */
export const compareTexts = (one: string, other: string): number => (one < other ? -1 : Number(one > other));

export const sortedTexts = (texts: Iterable<string>): readonly string[] => [...new Set(texts)].toSorted(compareTexts);
