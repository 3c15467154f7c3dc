import type { ConnectedJwtVerification, JwtVerificationContext, SignedClaims } from '../extension/index.js';
import type { JwtVerificationMessage } from '../diagnostics/index.js';
import {
  DeadlineCache,
  deepFreeze,
  Flights,
  jwtVerifications,
  publishJwtVerification,
  unverifiedClaims,
} from '../ports/jwt-verification.js';
import { jsonObjectOf } from '../jws/json-object.js';
import type { JwsHeader } from '../jws/jws-header.js';
import type { KeySet } from '../jws/key-set.js';
import type { PublishedKey } from '../jws/published-key.js';
import { signedPayload } from '../jws/signed-payload.js';
import { SigningKeys, type SigningKeysOptions } from '../jws/signing-keys.js';
import { invalid, readTokenHeader } from './token-header.js';

export interface JwtVerifierOptions extends SigningKeysOptions {
  readonly algorithms: ReadonlySet<string>;
  readonly maxVerifiedTokens: number;
}

/** The maximum of the option `clockToleranceSeconds`. */
const SKEW_SECONDS = 60;

interface Verified {
  readonly claims: SignedClaims;
  readonly key: PublishedKey;
}

/** Caches claims instead of tokens, and only after a valid signature, so an invalid token can't evict an entry. */
export class JwtVerifier implements ConnectedJwtVerification {
  readonly #verified: DeadlineCache<Verified>;
  readonly #flights = new Flights<SignedClaims>();

  constructor(
    private readonly context: Pick<JwtVerificationContext, 'issuer' | 'clock'>,
    private readonly options: JwtVerifierOptions,
    private readonly keys: SigningKeys,
  ) {
    this.#verified = new DeadlineCache(options.maxVerifiedTokens, context.clock);
  }

  get size(): number {
    return this.#verified.size;
  }

  async ready(): Promise<void> {
    await this.keys.usable();
  }

  verify(token: string, hash: string): SignedClaims | Promise<SignedClaims> {
    const { clock, issuer } = this.context;
    const nowMs = clock.monotonicMs();
    const known = this.#known(hash, nowMs);
    if (!jwtVerifications.hasSubscribers) return known ?? this.#check(token, hash);
    let outcome: JwtVerificationMessage['outcome'] = known === undefined ? 'joined' : 'cached';
    const onChecked = (): void => {
      outcome = 'verified';
    };
    return publishJwtVerification(issuer, () => outcome, known ?? this.#check(token, hash, onChecked), clock, nowMs);
  }

  #known(hash: string, nowMs: number): SignedClaims | undefined {
    const entry = this.#verified.get(hash, nowMs);
    if (entry === undefined || this.keys.current(nowMs) === undefined) return undefined;
    if (entry.key.isPublished) return entry.claims;
    this.#verified.delete(hash, entry);
    return undefined;
  }

  #check(token: string, hash: string, onChecked: () => void = () => undefined): Promise<SignedClaims> {
    return this.#flights.run(hash, async () => {
      onChecked();
      const header = readTokenHeader(token, this.options.algorithms);
      const keys = await this.keys.usable();
      const known = this.#known(hash, this.context.clock.monotonicMs());
      if (known !== undefined) return known;
      const key = await this.#keyOf(header, keys, token);
      const payload = await signedPayload(key, header, token);
      if (typeof payload === 'string') throw invalid(payload);
      const claims = deepFreeze(claimsOf(payload));
      // The issuer may have withdrawn the key during the verification.
      if (!key.isPublished) throw invalid('signing_key_unknown');
      this.#keep(hash, { claims, key });
      return claims;
    });
  }

  /** The unverified claims decide only whether the service reads the keys again. */
  async #keyOf({ keyId, algorithm }: JwsHeader, keys: KeySet, token: string): Promise<PublishedKey> {
    const { iss, exp } = unverifiedClaims(token);
    const hasEnded = typeof exp === 'number' && exp + SKEW_SECONDS < this.#epochSeconds();
    const mayBeOurs = iss === this.context.issuer && !hasEnded;
    const isThere = keys.has(keyId) && !keys.isFaulty(keyId);
    const found = isThere || !mayBeOurs ? keys : await this.keys.newer();
    if (!found.has(keyId)) throw invalid('signing_key_unknown');
    const key = found.find(keyId, algorithm);
    if (key === undefined) throw invalid('algorithm_not_allowed', { alg: algorithm });
    return key;
  }

  #keep(hash: string, verified: Verified): void {
    const { exp } = verified.claims;
    if (typeof exp === 'number') this.#verified.set(hash, verified, (exp - this.#epochSeconds()) * 1000);
  }

  #epochSeconds(): number {
    return this.context.clock.epochSeconds();
  }
}

function claimsOf(payload: Uint8Array): SignedClaims {
  const claims = jsonObjectOf(payload);
  if (claims === undefined) throw invalid('token_malformed');
  return claims;
}
