/** Verified requests: which judged token belongs to which request, kept apart from the request so that nothing prints it. */
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';

const tokens = new WeakMap<object, VerifiedAccessToken>();

export function rememberToken(request: object, token: VerifiedAccessToken): void {
  tokens.set(request, token);
}

export function verifiedTokenOf(request: object): VerifiedAccessToken | undefined {
  return tokens.get(request);
}
