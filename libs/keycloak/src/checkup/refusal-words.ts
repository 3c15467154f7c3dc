import type { KeycloakException } from '../protocol/keycloak-exception.js';

export function wordsOf({ reason, fields }: KeycloakException): string {
  const { description, detail } = fields;
  const own = typeof detail === 'string' ? ` (${detail})` : '';
  return typeof description === 'string' ? `${reason}${own}, and says: "${description}"` : `${reason}${own}`;
}
