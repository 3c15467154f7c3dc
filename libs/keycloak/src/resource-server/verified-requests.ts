/** Verified requests: which judged token belongs to which request, under keys that only this file knows. */
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';

/** A property and no entry of a WeakMap (perf: guard-overhead). What is printed of a request shows a token's fingerprint. */
const TOKEN = Symbol('nestjs-keycloak-s2s:token');
/** Two applications may share a request, when one is mounted in the other: what one found good is nothing to the other. */
const VERIFIED_BY = Symbol('nestjs-keycloak-s2s:verified-by');
/** How old the answer about the token was allowed to be, as `demandedStaleness()` has it; what demands a fresher one judges anew. */
const MAX_STALENESS = Symbol('nestjs-keycloak-s2s:max-staleness');

interface VerifiedRequest {
  [TOKEN]?: VerifiedAccessToken;
  [VERIFIED_BY]?: object;
  [MAX_STALENESS]?: number;
}

export function rememberToken(guard: object, given: object, token: VerifiedAccessToken, maxStaleness: number): void {
  const request = given as VerifiedRequest;
  // As it was: the answer about it is as old as it was then.
  if (request[TOKEN] === token && request[VERIFIED_BY] === guard) return;
  request[TOKEN] = token;
  request[VERIFIED_BY] = guard;
  request[MAX_STALENESS] = maxStaleness;
}

/**
 * The token by which a request was admitted, for guards, interceptors and filters, which come after `IntrospectionGuard`
 * and have no `@AccessToken()`. Undefined when none was sent or none was looked at, as on a `@Public()` route: whatever
 * stands in the request's `Authorization` header then proves nothing.
 */
export function verifiedTokenOf(request: object): VerifiedAccessToken | undefined {
  return (request as VerifiedRequest)[TOKEN];
}

/** Undefined also where the token was judged by an answer that may be older than `maxStaleness`. */
export function tokenVerifiedBy(guard: object, request: object, maxStaleness: number): VerifiedAccessToken | undefined {
  const { [VERIFIED_BY]: by, [TOKEN]: token, [MAX_STALENESS]: judgedWithin = Infinity } = request as VerifiedRequest;
  return by === guard && judgedWithin <= maxStaleness ? token : undefined;
}

/** Of calls outside of HTTP, by the argument that is of the call alone: no property, since others make those objects and may copy them. */
const callTokens = new WeakMap<object, VerifiedAccessToken>();

export function rememberCallToken(call: object, token: VerifiedAccessToken | undefined): void {
  if (token === undefined) callTokens.delete(call);
  else callTokens.set(call, token);
}

/** Among the arguments of a call outside of HTTP. */
export function callTokenOf(args: readonly unknown[]): VerifiedAccessToken | undefined {
  for (const argument of args) {
    const token = typeof argument === 'object' && argument !== null ? callTokens.get(argument) : undefined;
    if (token !== undefined) return token;
  }
  return undefined;
}
