/** Authorize: holds a judged token against what the route demands (RFC 6750 §3.1). */
import { BearerError } from '../protocol/bearer-error.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import type { RouteAccess } from './route-access.js';

/** Throws `BearerError`: `insufficient_scope` for the first permission that is missing, then `client_not_allowed`. */
export function authorize(token: VerifiedAccessToken, access: RouteAccess): void {
  const permission =
    access.permissions.find((demanded) => !token.hasPermission(demanded)) ??
    // Of those of which one would do, the first stands for all.
    access.anyOf.find((some) => !some.some((demanded) => token.hasPermission(demanded)))?.[0];
  if (permission !== undefined) {
    throw new BearerError('insufficient_scope', { reason: 'permission_missing', permission, fields: fieldsOf(token) });
  }
  if (access.clients.length > 0 && !access.clients.includes(token.clientId)) {
    throw new BearerError('client_not_allowed', { reason: 'client_not_allowed', fields: fieldsOf(token) });
  }
}

const fieldsOf = ({
  issuer: iss,
  clientId: azp,
  subject: sub,
  claims: { jti },
}: VerifiedAccessToken): Record<string, unknown> => ({
  iss,
  azp,
  sub,
  jti,
});
