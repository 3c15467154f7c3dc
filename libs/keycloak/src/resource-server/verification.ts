/** Verification: how a token is found good, and how old the authorization server's word on it may be then. */

/** By the authorization server's word on it (RFC 7662), or by its own signature (RFC 7515). */
export type VerificationMethod = 'introspection' | 'jwt';

export const VERIFICATIONS = ['introspection', 'jwt'] as const satisfies readonly VerificationMethod[];

/**
 * Both as one number, so that of two demands the smaller one is the stronger: how old the server's word may be, in seconds. Here any answer will do that may be
 * reused at all …
 */
export const ANY_ANSWER = Number.MAX_VALUE;

/** … and here none is needed where signatures are checked. Where they are not there is nothing but answers. */
export const NO_ANSWER_NEEDED = Infinity;

/** What a route says; undefined where it leaves that to the module. */
export interface DemandedVerification {
  readonly maxStalenessSeconds: number | undefined;
  readonly verification: VerificationMethod | undefined;
}

export const NOTHING_SAID: DemandedVerification = { maxStalenessSeconds: undefined, verification: undefined };

/** The largest age that the route accepts in a module whose option `verification` is `byDefault`. */
export const demandedStaleness = (demanded: DemandedVerification, byDefault: VerificationMethod): number =>
  saidStaleness(demanded) ?? stalenessOf(byDefault);

/** Undefined if the route leaves it to the module. A maximum age demands introspection. */
export function saidStaleness({ maxStalenessSeconds, verification }: DemandedVerification): number | undefined {
  if (maxStalenessSeconds !== undefined) return Math.min(maxStalenessSeconds, ANY_ANSWER);
  return verification && stalenessOf(verification);
}

const stalenessOf = (verification: VerificationMethod): number =>
  verification === 'jwt' ? NO_ANSWER_NEEDED : ANY_ANSWER;
