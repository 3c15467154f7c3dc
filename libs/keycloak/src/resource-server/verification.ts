import { ANY_ANSWER } from '../authorization-server/cached-introspection.js';

/** Introspection (RFC 7662) or a check of the signature (RFC 7515). */
export type VerificationMethod = 'introspection' | 'jwt';

export const VERIFICATIONS = ['introspection', 'jwt'] as const satisfies readonly VerificationMethod[];

export { ANY_ANSWER };

/** A route that names a maximum age never accepts `ANY_ANSWER`. */
const MAX_SAID_SECONDS = 1e9;

/** A check of the signature is enough if the option `jwt` is set. */
export const NO_ANSWER_NEEDED = Infinity;

export interface DemandedVerification {
  readonly maxStalenessSeconds: number | undefined;
  readonly verification: VerificationMethod | undefined;
}

export const NOTHING_SAID: DemandedVerification = { maxStalenessSeconds: undefined, verification: undefined };

export const demandedStaleness = (demanded: DemandedVerification, byDefault: VerificationMethod): number =>
  saidStaleness(demanded) ?? stalenessOf(byDefault);

export function saidStaleness({ maxStalenessSeconds, verification }: DemandedVerification): number | undefined {
  if (maxStalenessSeconds !== undefined) return Math.min(maxStalenessSeconds, MAX_SAID_SECONDS);
  return verification && stalenessOf(verification);
}

const stalenessOf = (verification: VerificationMethod): number =>
  verification === 'jwt' ? NO_ANSWER_NEEDED : ANY_ANSWER;
