/** Verified requests: marks a request with its verified token, and a context as admitted, under symbols of this file. */
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';

/** Properties, and no entries of a WeakMap (perf: guard-overhead). A request that is printed shows a token's fingerprint. */
const ADMITTED = Symbol('nestjs-keycloak-s2s:token');
/** The token that was judged last. It may have been refused by every handler of the request. */
const JUDGED = Symbol('nestjs-keycloak-s2s:judged-token');
/** Two applications may share a request, when one is mounted in the other: what one found good is nothing to the other. */
const JUDGED_BY = Symbol('nestjs-keycloak-s2s:judged-by');
/** How old the answer about the token was allowed to be, as `demandedStaleness()` has it; what demands a fresher one judges anew. */
const MAX_STALENESS = Symbol('nestjs-keycloak-s2s:max-staleness');

interface VerifiedRequest {
  [ADMITTED]?: VerifiedAccessToken;
  [JUDGED]?: VerifiedAccessToken;
  [JUDGED_BY]?: object;
  [MAX_STALENESS]?: number;
}

/** Keeps a token that was judged good, so that it is not judged again for the same request. Says nothing of whether a handler admits it. */
export function rememberJudged(guard: object, given: object, token: VerifiedAccessToken, maxStaleness: number): void {
  const request = given as VerifiedRequest;
  // As it was: the answer about it is as old as it was then.
  if (request[JUDGED] === token && request[JUDGED_BY] === guard) return;
  request[JUDGED] = token;
  request[JUDGED_BY] = guard;
  request[MAX_STALENESS] = maxStaleness;
}

/** Keeps a token that was held against a handler, for `verifiedTokenOf()`. */
export function rememberAdmitted(request: object, token: VerifiedAccessToken): void {
  (request as VerifiedRequest)[ADMITTED] = token;
}

/**
 * The token by which a request was admitted, for guards, interceptors and filters, which come after `KeycloakGuard`
 * and have no `@Caller()`. Undefined when none was sent, or none was looked at, as on a `@Public()` route. Undefined also when no
 * handler of the request admitted it. The `Authorization` header of the request then proves nothing.
 */
export function verifiedTokenOf(request: object): VerifiedAccessToken | undefined {
  return (request as VerifiedRequest)[ADMITTED];
}

/** Undefined also where the token was judged by an answer that may be older than `maxStaleness`. */
export function tokenVerifiedBy(guard: object, request: object, maxStaleness: number): VerifiedAccessToken | undefined {
  const { [JUDGED_BY]: by, [JUDGED]: token, [MAX_STALENESS]: judgedWithin = Infinity } = request as VerifiedRequest;
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

/** Nest makes one context for all the guards of a run, and another for the next run, of the same request too. */
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
