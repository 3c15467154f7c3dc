/** Verified requests: which judged token belongs to which request, under a key that only this file knows. */
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';

/** A property costs a tenth of what an entry in a WeakMap does. What is printed of a request shows a token's fingerprint. */
const TOKEN = Symbol('nestjs-keycloak-s2s:token');

interface VerifiedRequest {
  [TOKEN]?: VerifiedAccessToken;
}

export function rememberToken(request: VerifiedRequest, token: VerifiedAccessToken): void {
  request[TOKEN] = token;
}

/**
 * The token by which a request was admitted, for guards, interceptors and filters, which come after `IntrospectionGuard`
 * and have no `@AccessToken()`. Undefined when none was sent or none was looked at, as on a `@Public()` route: whatever
 * stands in the request's `Authorization` header then proves nothing.
 */
export function verifiedTokenOf(request: object): VerifiedAccessToken | undefined {
  return (request as VerifiedRequest)[TOKEN];
}
