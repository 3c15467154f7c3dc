import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';

/**
 * A property is faster than a `WeakMap` entry (perf: guard-overhead). A log of the property shows only the fingerprint
 * of the token.
 */
const ADMITTED = Symbol('nestjs-keycloak-s2s:token');
/** The token that the guard verified, even if every handler of the request refused the token. */
const VERIFIED = Symbol('nestjs-keycloak-s2s:verified-token');
/** Names the guard that verified the token, because an application and a mounted application share their requests. */
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
  // The earlier maximum age is kept, because the result has not changed.
  if (request[VERIFIED] === token && request[VERIFIED_BY] === guard) return;
  request[VERIFIED] = token;
  request[VERIFIED_BY] = guard;
  request[MAX_STALENESS] = maxStaleness;
}

export function rememberAdmitted(request: object, token: VerifiedAccessToken): void {
  (request as VerifiedRequest)[ADMITTED] = token;
}

/**
 * Returns the token to guards, interceptors and filters after `KeycloakGuard` admitted the request.
 *
 * Returns undefined without a token, on a `@Public()` route, or if no handler admitted the token. If the result is
 * undefined, the `Authorization` header of the request proves nothing.
 */
export function verifiedTokenOf(request: object): VerifiedAccessToken | undefined {
  return (request as VerifiedRequest)[ADMITTED];
}

export function tokenVerifiedBy(guard: object, request: object, maxStaleness: number): VerifiedAccessToken | undefined {
  const {
    [VERIFIED_BY]: by,
    [VERIFIED]: token,
    [MAX_STALENESS]: verifiedWithin = Infinity,
  } = request as VerifiedRequest;
  return by === guard && verifiedWithin <= maxStaleness ? token : undefined;
}

/** The tokens are in a `WeakMap`, because other code may copy properties of the call objects. */
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

const observed = new WeakSet<object>();

export function markObserved(args: readonly unknown[]): void {
  for (const argument of args) if (typeof argument === 'object' && argument !== null) observed.add(argument);
}

export function isObserved(args: readonly unknown[]): boolean {
  return args.some((argument) => typeof argument === 'object' && argument !== null && observed.has(argument));
}
