/** LogoutTokens: checks the logout tokens of one issuer by every rule of OpenID Connect Back-Channel Logout 1.0 §2.6. */
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

/** Only tokens with a good signature are remembered, so that junk can't push them out. */
const MAX_REMEMBERED = 100_000;

const ALGORITHMS: ReadonlySet<string> = new Set(SIGNING_ALGORITHMS);

/** §2.4; in any case, with or without `application/` (RFC 7515 §4.1.9). Without it an ID token could be taken for one. */
const LOGOUT_TOKEN_TYPE = /^(?:application\/)?logout\+jwt$/i;

const isLogoutTokenType = (typ: unknown): boolean => typeof typ === 'string' && LOGOUT_TOKEN_TYPE.test(typ);

/**
 * Claims are looked at first, since that costs nothing: only a token that would be good if its issuer had signed it has keys looked for. Each is good once (`jti`), at this process: at
 * another one it says the same again, which does no harm.
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

  /** Rejects with `LogoutTokenError` for an invalid token, and with `AuthorizationServerError` where that can't be told, since the issuer's keys can't be had. */
  async check(token: string): Promise<LogoutClaims> {
    const header = headerOf(token);
    const claims = this.#claimsOf(token);
    const key = await this.#keyOf(header);
    const payload = await signedPayload(key, header, token);
    if (typeof payload === 'string') throw new LogoutTokenError(payload);
    // A reading may have ended meanwhile.
    if (!key.isPublished) throw new LogoutTokenError('signing_key_unknown');
    if (this.#seen.get(claims.tokenId) === true) throw new LogoutTokenError('jti_seen_before');
    this.#seen.set(claims.tokenId, true, REPLAYABLE_SECONDS * 1000);
    return claims;
  }

  /** What it says could not be carried out in full: it may come again. */
  release(tokenId: string): void {
    this.#seen.delete(tokenId, true);
  }

  /** What was signed is this very text, if anything was: it has one spelling. */
  #claimsOf(token: string): LogoutClaims {
    const claims = jsonObjectOf(Buffer.from(token.split('.')[1] ?? '', 'base64url'));
    if (claims === undefined) throw new LogoutTokenError('token_malformed');
    return readLogoutClaims(claims, this.recipient, this.clock.epochSeconds());
  }

  /** That the issuer has no such key, only a reading can say that began after the token came. Those together are one a second at most. */
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
