import { clientRoleKeys, clientOfRole, nameInKey, realmRoleKeys, type RoleKey } from './role-key.js';

export const defaultRoleOf = (realm: string): string => `${PREFIX}${realm.toLowerCase()}`;

const PREFIX = 'default-roles-';

export const REALM_ROLES_OF_EVERYONE = realmRoleKeys(['offline_access', 'uma_authorization']);

export const ACCOUNT_ROLES_OF_EVERYONE = clientRoleKeys('account', [
  'manage-account',
  'manage-account-links',
  'view-profile',
]);

export const isRoleOfEveryone = (role: RoleKey): boolean =>
  [...REALM_ROLES_OF_EVERYONE, ...ACCOUNT_ROLES_OF_EVERYONE].includes(role) ||
  (clientOfRole(role) === null && nameInKey(role).startsWith(PREFIX));
