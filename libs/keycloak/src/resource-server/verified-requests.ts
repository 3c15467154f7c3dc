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

export function verifiedTokenOf(request: VerifiedRequest): VerifiedAccessToken | undefined {
  return request[TOKEN];
}
