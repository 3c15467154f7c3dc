import type { Denial } from '../protocol/denial.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import type { HeldDenials } from './held-denials.js';
import type { IssuerRecheck, Recheck, Rechecks } from './rechecks.js';

export interface IssuerRevocations {
  readonly issuer: string;
  readonly denials: Pick<HeldDenials, 'size' | 'deny' | 'denies' | 'onDenied'>;
  readonly rechecks: Pick<Rechecks, 'require' | 'onRequired'>;
}

/**
 * Denies sessions, users and tokens for `revocationRetentionSeconds`. A logout notice or an administrator causes a
 * denial. Every guarded route refuses a denied token with 401 `invalid_token` (reason `revoked`), even if the
 * introspection result of the token is cached. The token exchange also refuses a denied token. With `forRoot({
 * revocationChannel })`, a denial reaches all replicas of all services. Without a `revocationChannel`, only this
 * process knows the denial, until the process ends. A denial does NOT notify Keycloak, and does not abort running
 * calls.
 *
 * A full list drops the denial that would expire first, and logs a warning. A list that has dropped a denial refuses
 * every token issued before this denial. Each issuer has its own list.
 */
export class RevocationList {
  readonly #issuers: ReadonlyMap<string, IssuerRevocations>;
  readonly #only: IssuerRevocations | undefined;

  constructor(issuers: readonly IssuerRevocations[]) {
    this.#issuers = new Map(issuers.map((each) => [each.issuer, each]));
    this.#only = issuers.length === 1 ? issuers[0] : undefined;
  }

  /**
   * The number of denials, at most `maxRevocations` per issuer; expired denials count until the next denial. A denial
   * that has a `jti` counts twice.
   */
  get size(): number {
    return [...this.#issuers.values()].reduce((sum, { denials }) => sum + denials.size, 0);
  }

  /**
   * Denies tokens immediately, for `revocationRetentionSeconds`. Repeating a denial extends its time and keeps the
   * later `issuedBefore`. Throws `TypeError` if `denial` is malformed, or if its issuer is unknown or ambiguous.
   */
  deny(denial: Denial): void {
    this.#of(Object(denial) as Denial, 'denial').denials.deny(denial);
  }

  /**
   * Discards the cached results of tokens that may be revoked. On routes that verify signatures, tokens issued before
   * the recheck are introspected until they expire. A recheck reaches the same replicas as a denial, and does NOT
   * refuse a token. Throws `TypeError` for the same reasons as `deny()`. Only the value `'everything'` applies to every
   * issuer.
   */
  recheck(recheck: Recheck): void {
    if (recheck === 'everything') {
      for (const { rechecks } of this.#issuers.values()) rechecks.require('everything');
      return;
    }
    const { issuer, ...whose } = Object(recheck) as { readonly issuer?: string };
    const isOfAll = issuer !== undefined && Object.keys(whose).length === 0;
    this.#of({ issuer }, 'recheck').rechecks.require(isOfAll ? 'everything' : (whose as IssuerRecheck));
  }

  denies(token: VerifiedAccessToken): boolean {
    const { denials } = this.#only ?? this.#issuers.get(token.issuer) ?? NOBODY_OF;
    return denials.denies(token);
  }

  /** Calls `listener` after each denial, including denials of other replicas. @internal */
  onDenied(listener: () => void): void {
    for (const { denials } of this.#issuers.values()) denials.onDenied(listener);
  }

  /** Calls `listener` after each recheck, including rechecks of other replicas. @internal */
  onRecheck(listener: () => void): void {
    for (const { rechecks } of this.#issuers.values()) rechecks.onRequired(listener);
  }

  #of({ issuer }: { readonly issuer?: string | undefined }, what: string): IssuerRevocations {
    const found = issuer === undefined ? this.#only : this.#issuers.get(issuer);
    if (found !== undefined) return found;
    throw new TypeError(
      issuer === undefined
        ? `This module has several issuers, so a ${what} must name one: { issuer, … }`
        : `This module has no issuer with the name in this ${what}`,
    );
  }
}

/** Denies every token of an unknown issuer (fail closed). */
const NOBODY_OF = { denials: { denies: () => true } };
