/** RevocationList: what this service refuses from now on, whatever Keycloak says of it. */
import type { Denial } from '../protocol/denial.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import type { HeldDenials } from './held-denials.js';
import type { IssuerRecheck, Recheck, Rechecks } from './rechecks.js';

/** What is held of one issuer. */
export interface IssuerRevocations {
  readonly issuer: string;
  readonly denials: Pick<HeldDenials, 'size' | 'deny' | 'denies' | 'onDenied'>;
  readonly rechecks: Pick<Rechecks, 'require' | 'onRequired'>;
}

/**
 * `deny()` is the one way in, for a logout notice or an administrator's request. What is denied is refused with 401 `invalid_token` (reason `revoked`) on every
 * guarded route, and is not exchanged any more: from the next request on, answers and tokens that are kept included, and for `revocationRetentionSeconds`.
 *
 * With `forRoot({ revocationChannel })` it reaches all replicas of all services, and those that start later. Without one it holds in this process, until that ends.
 * It does NOT tell Keycloak, or end calls that are in flight. It can't be switched off. When it is full, the denial that would end first goes early, with a warning in
 * the log; from then on every token issued before that denial was made is refused, whosesoever it is: what was denied does not come back for it.
 *
 * With several issuers it is a list for each: what is denied or rechecked at one says nothing of the tokens of another, and each denial and recheck names its `issuer`.
 */
export class RevocationList {
  readonly #issuers: ReadonlyMap<string, IssuerRevocations>;
  /** Where there is no choice. */
  readonly #only: IssuerRevocations | undefined;

  constructor(issuers: readonly IssuerRevocations[]) {
    this.#issuers = new Map(issuers.map((each) => [each.issuer, each]));
    this.#only = issuers.length === 1 ? issuers[0] : undefined;
  }

  /**
   * How many denials are held, at most `maxRevocations` of each issuer; that of a token with its `jti` counts twice. Those whose time is over
   * are counted until the next one comes.
   */
  get size(): number {
    return [...this.#issuers.values()].reduce((sum, { denials }) => sum + denials.size, 0);
  }

  /**
   * Holds at once, and for `revocationRetentionSeconds` from now. To deny the same again does no harm: it is held longer, and
   * of two `issuedBefore` the later one counts. Throws `TypeError` when `denial` is not exactly one `Denial`, or is of an issuer that the module does not have; of several issuers it
   * must name one.
   */
  deny(denial: Denial): void {
    this.#of(Object(denial) as Denial, 'denial').denials.deny(denial);
  }

  /**
   * For what may have been revoked, and may not: answers of the authorization server that were asked for until now serve no more, of the tokens that `recheck` is about. Each
   * is introspected once more when it comes next. Those that are verified by their signature, and were issued until now, are introspected from now on, until they end. It reaches as far as `deny()`. It does NOT refuse anybody by itself.
   * Throws `TypeError` as `deny()` does; `'everything'` alone is about every issuer.
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

  /** Whether `token` is denied: by its session, its subject or itself. The guard and the token exchange ask this. */
  denies(token: VerifiedAccessToken): boolean {
    const { denials } = this.#only ?? this.#issuers.get(token.issuer) ?? NOBODY_OF;
    return denials.denies(token);
  }

  /** Calls `listener` after each denial, those of other replicas too. @internal */
  onDenied(listener: () => void): void {
    for (const { denials } of this.#issuers.values()) denials.onDenied(listener);
  }

  /** Calls `listener` after each recheck, as `onDenied`. @internal */
  onRecheck(listener: () => void): void {
    for (const { rechecks } of this.#issuers.values()) rechecks.onRequired(listener);
  }

  #of({ issuer }: { readonly issuer?: string | undefined }, what: string): IssuerRevocations {
    const found = issuer === undefined ? this.#only : this.#issuers.get(issuer);
    if (found !== undefined) return found;
    throw new TypeError(
      issuer === undefined
        ? `There are several issuers, so a ${what} must name one: { issuer, … }`
        : `The issuer of this ${what} is none whose tokens are accepted here`,
    );
  }
}

/** Nothing is known of a token of another issuer, and so nothing good. */
const NOBODY_OF = { denials: { denies: () => true } };
