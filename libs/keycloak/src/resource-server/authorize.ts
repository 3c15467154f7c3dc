import { BearerError } from '../protocol/bearer-error.js';
import { ownerOf, type VerifiedAccessToken } from '../protocol/verified-access-token.js';
import { isAllowedClient } from './allowed-client.js';
import type { AccessTokenVerifier } from './access-token-verifier.js';
import type { RouteAccess } from './route-access.js';

/** Checks the login last, so that only permitted callers see the required login (RFC 9470 §9). */
export function authorize(
  token: VerifiedAccessToken,
  access: RouteAccess,
  verifier: Pick<AccessTokenVerifier, 'verifyAuthentication' | 'ownIssuer' | 'permissionsAreScopes'>,
): void {
  const permission = missingPermission(token, access);
  if (permission !== undefined) {
    throw new BearerError('insufficient_scope', {
      reason: 'permission_missing',
      permission,
      scopes: verifier.permissionsAreScopes(token) ? demandedScopes(token, access) : [],
      fields: ownerOf(token),
    });
  }
  const { clients } = access;
  if (clients.length > 0 && !clients.some((client) => isAllowedClient(client, token, verifier.ownIssuer))) {
    throw new BearerError('client_not_allowed', { reason: 'client_not_allowed', fields: ownerOf(token) });
  }
  // The clock is read only for routes that require a login (perf: guard-overhead).
  if (access.authentication !== undefined) verifier.verifyAuthentication(token, access.authentication);
}

function missingPermission(token: VerifiedAccessToken, { permissions, anyOf }: RouteAccess): string | undefined {
  for (const permission of permissions) if (!token.hasPermission(permission)) return permission;
  for (const some of anyOf) if (!some.some((one) => token.hasPermission(one))) return some[0];
  return undefined;
}

/**
 * The challenge (RFC 6750 §3) names one permission of each `anyOf` list, preferably a permission that the token has.
 */
function demandedScopes(token: VerifiedAccessToken, { permissions, anyOf }: RouteAccess): readonly string[] {
  const chosen = anyOf.flatMap((some) => some.find((one) => token.hasPermission(one)) ?? some[0] ?? []);
  return [...new Set([...permissions, ...chosen])];
}
