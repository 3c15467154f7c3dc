import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';

/** A property is faster than a WeakMap entry (perf: guard-overhead), and prints only the fingerprint of the token. */
const ADMITTED = Symbol('nestjs-keycloak-s2s:token');
/** The verified token, which every handler of the request may have refused. */
const VERIFIED = Symbol('nestjs-keycloak-s2s:verified-token');
/** Two applications share a request if one is mounted in the other. */
const VERIFIED_BY = Symbol('nestjs-keycloak-s2s:verified-by');
const MAX_STALENESS = Symbol('nestjs-keycloak-s2s:max-staleness');

interface VerifiedRequest {
  [ADMITTED]?: VerifiedAccessToken;
  [VERIFIED]?: VerifiedAccessToken;
  [VERIFIED_BY]?: object;
  [MAX_STALENESS]?: number;
}

export function rememberVerified(guard: object, given: object, token: VerifiedAccessToken, maxStaleness: number): void {
  const request = given as VerifiedRequest;
  // Keeps the earlier staleness, because the result has not changed.
  if (request[VERIFIED] === token && request[VERIFIED_BY] === guard) return;
  request[VERIFIED] = token;
  request[VERIFIED_BY] = guard;
  request[MAX_STALENESS] = maxStaleness;
}

export function rememberAdmitted(request: object, token: VerifiedAccessToken): void {
  (request as VerifiedRequest)[ADMITTED] = token;
}

/**
 * Returns the token with which a request was admitted, for guards, interceptors and filters that run after
 * `KeycloakGuard` and can't use `@Caller()`.
 *
 * Returns undefined if no token was sent or read (as on a `@Public()` route), or if no handler of the request admitted
 * the token. In that case, the `Authorization` header of the request proves nothing.
 */
export function verifiedTokenOf(request: object): VerifiedAccessToken | undefined {
  return (request as VerifiedRequest)[ADMITTED];
}

/** Returns undefined if the token was verified by a result that may be older than `maxStaleness`. */
export function tokenVerifiedBy(guard: object, request: object, maxStaleness: number): VerifiedAccessToken | undefined {
  const {
    [VERIFIED_BY]: by,
    [VERIFIED]: token,
    [MAX_STALENESS]: verifiedWithin = Infinity,
  } = request as VerifiedRequest;
  return by === guard && verifiedWithin <= maxStaleness ? token : undefined;
}

/** A WeakMap, since other code creates these objects and may copy their properties. */
const callTokens = new WeakMap<object, VerifiedAccessToken>();

export function rememberCallToken(call: object, token: VerifiedAccessToken | undefined): void {
  if (token === undefined) callTokens.delete(call);
  else callTokens.set(call, token);
}

export function callTokenOf(args: readonly unknown[]): VerifiedAccessToken | undefined {
  for (const argument of args) {
    const token = typeof argument === 'object' && argument !== null ? callTokens.get(argument) : undefined;
    if (token !== undefined) return token;
  }
  return undefined;
}

/** Nest creates one context for all guards of a call. */
const ADMITTED_RUN = Symbol('nestjs-keycloak-s2s:admitted');

interface GuardedContext {
  [ADMITTED_RUN]?: true;
}

export function markAdmitted(context: object): true {
  (context as GuardedContext)[ADMITTED_RUN] = true;
  return true;
}

export function isAdmitted(context: object): boolean {
  return (context as GuardedContext)[ADMITTED_RUN] === true;
}
