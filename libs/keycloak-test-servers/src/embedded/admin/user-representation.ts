import type { RealmUser } from '../realm/realm-representation.js';

const BUILT_IN = ['username', 'email', 'emailVerified', 'firstName', 'lastName'];

export function userRepresentation({ id, enabled, notBefore, attributes }: RealmUser): Record<string, unknown> {
  const { username, email, emailVerified, firstName, lastName } = attributes;
  const others = Object.entries(attributes).filter(([name]) => !BUILT_IN.includes(name));
  return {
    id,
    username,
    firstName,
    lastName,
    email,
    emailVerified,
    enabled,
    ...(others.length === 0 ? {} : { attributes: Object.fromEntries(others.map(([name, value]) => [name, [value]])) }),
    totp: false,
    disableableCredentialTypes: [],
    requiredActions: [],
    notBefore,
  };
}
