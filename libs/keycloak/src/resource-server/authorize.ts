/** Authorize: holds a judged token against what the route demands (RFC 6750 §3.1, RFC 9470 §3). */
import { BearerError } from '../protocol/bearer-error.js';
import { ownerOf, type VerifiedAccessToken } from '../protocol/verified-access-token.js';
import { isAllowedClient } from './allowed-client.js';
import type { AccessTokenVerifier } from './access-token-verifier.js';
import type { RouteAccess } from './route-access.js';

/**
 * Throws `BearerError`: `insufficient_scope` for the first permission that is missing, then `client_not_allowed`, then
 * `insufficient_user_authentication`.
 *
 * The login comes last. It is the one refusal that asks the user for something: whoever is sent to log in again for a route that stays closed
 * all the same has entered a password for nothing, and learns to. And which routes demand a strong login is said to those alone who may use
 * them (RFC 9470 §9).
 */
export function authorize(
  token: VerifiedAccessToken,
  access: RouteAccess,
  verifier: Pick<AccessTokenVerifier, 'judgeAuthentication' | 'ownIssuer'>,
): void {
  const permission = missingPermission(token, access);
  if (permission !== undefined) {
    const scope = demandedScope(token, access);
    throw new BearerError('insufficient_scope', {
      reason: 'permission_missing',
      permission,
      scope,
      fields: ownerOf(token),
    });
  }
  const { clients } = access;
  if (clients.length > 0 && !clients.some((client) => isAllowedClient(client, token, verifier.ownIssuer))) {
    throw new BearerError('client_not_allowed', { reason: 'client_not_allowed', fields: ownerOf(token) });
  }
  // Most routes demand none: no clock is read for them (perf: guard-overhead).
  if (access.authentication !== undefined) verifier.judgeAuthentication(token, access.authentication);
}

function missingPermission(token: VerifiedAccessToken, { permissions, anyOf }: RouteAccess): string | undefined {
  for (const permission of permissions) if (!token.hasPermission(permission)) return permission;
  // The first name stands for a list of which one would do.
  for (const some of anyOf) if (!some.some((one) => token.hasPermission(one))) return some[0];
  return undefined;
}

/** All permissions that a token needs here (RFC 6750 §3). A list of which one would do counts with the one that this token has, or else with the first. */
function demandedScope(token: VerifiedAccessToken, { permissions, anyOf }: RouteAccess): readonly string[] {
  const chosen = anyOf.flatMap((some) => some.find((one) => token.hasPermission(one)) ?? some[0] ?? []);
  return [...new Set([...permissions, ...chosen])];
}
