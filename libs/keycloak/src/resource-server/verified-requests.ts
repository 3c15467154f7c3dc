/** Verified requests: which judged token belongs to which request, under keys that only this file knows. */
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';

/** A property and no entry of a WeakMap (perf: guard-overhead). What is printed of a request shows a token's fingerprint. */
const TOKEN = Symbol('nestjs-keycloak-s2s:token');
/** Two applications may share a request, when one is mounted in the other: what one found good is nothing to the other. */
const VERIFIED_BY = Symbol('nestjs-keycloak-s2s:verified-by');

interface VerifiedRequest {
  [TOKEN]?: VerifiedAccessToken;
  [VERIFIED_BY]?: object;
}

export function rememberToken(guard: object, request: VerifiedRequest, token: VerifiedAccessToken): void {
  request[TOKEN] = token;
  request[VERIFIED_BY] = guard;
}

/**
 * The token by which a request was admitted, for guards, interceptors and filters, which come after `IntrospectionGuard`
 * and have no `@AccessToken()`. Undefined when none was sent or none was looked at, as on a `@Public()` route: whatever
 * stands in the request's `Authorization` header then proves nothing.
 */
export function verifiedTokenOf(request: object): VerifiedAccessToken | undefined {
  return (request as VerifiedRequest)[TOKEN];
}

export function tokenVerifiedBy(guard: object, request: object): VerifiedAccessToken | undefined {
  const { [VERIFIED_BY]: by, [TOKEN]: token } = request as VerifiedRequest;
  return by === guard ? token : undefined;
}
