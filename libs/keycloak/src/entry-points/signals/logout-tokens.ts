import { jsonObjectOf } from '../jws/json-object.js';
import { readJwsHeader, type JwsHeader } from '../jws/jws-header.js';
import type { PublishedKey } from '../jws/published-key.js';
import { signedPayload } from '../jws/signed-payload.js';
import { SIGNING_ALGORITHMS } from '../jws/signing-algorithms.js';
import type { SigningKeys } from '../jws/signing-keys.js';
import { DeadlineCache, isCompactJws, type Clock } from '../ports/signals.js';
import {
  LogoutTokenError,
  readLogoutClaims,
  REPLAYABLE_SECONDS,
  type LogoutClaims,
  type LogoutRecipient,
} from './logout-claims.js';

/** The cache remembers only tokens with a valid signature, so a forged token evicts no entry. */
const MAX_REMEMBERED = 100_000;

const ALGORITHMS: ReadonlySet<string> = new Set(SIGNING_ALGORITHMS);

/**
 * The type of OpenID Connect Back-Channel Logout 1.0 §2.4, in any letter case. `application/` is optional (RFC 7515
 * §4.1.9). Without a check of the type, the service could accept an ID token.
 */
const LOGOUT_TOKEN_TYPE = /^(?:application\/)?logout\+jwt$/i;

const isLogoutTokenType = (typ: unknown): boolean => typeof typ === 'string' && LOGOUT_TOKEN_TYPE.test(typ);

/**
 * Checks the claims before the signature, so that only a token with valid claims causes a key lookup. A second process
 * may accept the same `jti`, because a repeated denial is harmless.
 */
export class LogoutTokens {
  readonly #seen: DeadlineCache<true>;

  constructor(
    private readonly recipient: LogoutRecipient,
    private readonly keys: Pick<SigningKeys, 'current' | 'newer'>,
    private readonly clock: Clock,
  ) {
    this.#seen = new DeadlineCache(MAX_REMEMBERED, clock);
  }

  async check(token: string): Promise<LogoutClaims> {
    const header = headerOf(token);
    const claims = this.#claimsOf(token);
    const key = await this.#keyOf(header);
    const payload = await signedPayload(key, header, token);
    if (typeof payload === 'string') throw new LogoutTokenError(payload);
    // The issuer may have withdrawn the key during the verification.
    if (!key.isPublished) throw new LogoutTokenError('signing_key_unknown');
    if (this.#seen.get(claims.tokenId) === true) throw new LogoutTokenError('jti_seen_before');
    this.#seen.set(claims.tokenId, true, REPLAYABLE_SECONDS * 1000);
    return claims;
  }

  /** Makes the service accept a logout token once more after an incomplete logout. */
  release(tokenId: string): void {
    this.#seen.delete(tokenId, true);
  }

  /** The signature covers exactly this text, because a compact JWS has only one valid encoding. */
  #claimsOf(token: string): LogoutClaims {
    const claims = jsonObjectOf(Buffer.from(token.split('.')[1] ?? '', 'base64url'));
    if (claims === undefined) throw new LogoutTokenError('token_malformed');
    return readLogoutClaims(claims, this.recipient, this.clock.epochSeconds());
  }

  /** Only a key set that was read after the token arrived can prove that a key is missing. */
  async #keyOf({ keyId, algorithm }: JwsHeader): Promise<PublishedKey> {
    const current = this.keys.current(this.clock.monotonicMs());
    const isThere = current?.has(keyId) === true && !current.isFaulty(keyId);
    const keys = isThere ? current : await this.keys.newer();
    if (!keys.has(keyId)) throw new LogoutTokenError('signing_key_unknown');
    const key = keys.find(keyId, algorithm);
    if (key === undefined) throw new LogoutTokenError('algorithm_not_allowed');
    return key;
  }
}

function headerOf(token: string): JwsHeader {
  if (!isCompactJws(token)) throw new LogoutTokenError('token_malformed');
  const header = readJwsHeader(token, ALGORITHMS, isLogoutTokenType);
  if (!('reason' in header)) return header;
  throw new LogoutTokenError(header.reason === 'other_type' ? 'not_a_logout_token' : header.reason);
}
