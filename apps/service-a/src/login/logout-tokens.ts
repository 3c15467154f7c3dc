/** LogoutTokens: checks a logout token by every rule of OpenID Connect Back-Channel Logout 1.0 §2.6. */
import { errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { LRUCache } from 'lru-cache';
import type { EndedSession } from './ended-sessions.js';
import { SIGNING_ALGORITHMS } from './signing-keys.js';

export interface LogoutToken extends EndedSession {
  /** Of whose sessions it tells. */
  readonly issuer: string;
  /** Seconds since the epoch. */
  readonly issuedAt: number;
}

/** Thrown for an invalid logout token. The reason is one word, for the log. */
export class LogoutTokenError extends Error {
  constructor(readonly reason: string) {
    super(`Logout token refused (${reason})`);
  }
}

export interface LogoutTokenOptions {
  readonly issuer: string;
  readonly clientId: string;
}

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
/** Seconds. The specification recommends a lifetime of two minutes at most; an older token is out of date. */
const MAX_AGE = 120;
const MAX_LIFE = 300;
const CLOCK_TOLERANCE = 5;
const MAX_REMEMBERED = 100_000;
/** Longer than an accepted token could be replayed. */
const REMEMBERED_SECONDS = MAX_LIFE + MAX_AGE + 2 * CLOCK_TOLERANCE;

export class LogoutTokens {
  /** By `jti`. */
  readonly #seen: LRUCache<string, true>;

  constructor(
    private readonly options: LogoutTokenOptions,
    private readonly keys: JWTVerifyGetKey,
    /** Milliseconds since the epoch. */
    private readonly now: () => number = Date.now,
  ) {
    this.#seen = new LRUCache({
      max: MAX_REMEMBERED,
      ttl: REMEMBERED_SECONDS * 1000,
      // The clock is read for every lookup, so that specs can move it.
      ttlResolution: 0,
      perf: { now },
    });
  }

  /** Throws `LogoutTokenError` for an invalid token, and the error of `keys` when the keys are unavailable and nothing is proven. */
  async check(text: unknown): Promise<LogoutToken> {
    if (typeof text !== 'string') throw new LogoutTokenError('logout_token_missing');
    const claims = await this.#verify(text);
    const { sub, sid, jti = '', iat = 0, exp = 0, events } = claims;
    if (exp - iat > MAX_LIFE) throw new LogoutTokenError('lives_too_long');
    if (!isLogoutEvent(events)) throw new LogoutTokenError('not_a_logout_event');
    // A token with a nonce is an ID token, or could be used as one.
    if ('nonce' in claims) throw new LogoutTokenError('has_a_nonce');
    if (!isIdentifier(sub) || !isIdentifier(sid)) throw new LogoutTokenError('malformed_sub_or_sid');
    if (sub === undefined && sid === undefined) throw new LogoutTokenError('neither_sub_nor_sid');
    if (jti === '' || this.#seen.has(jti)) throw new LogoutTokenError('jti_missing_or_seen_before');
    this.#seen.set(jti, true);
    return { issuer: this.options.issuer, sessionId: sid, subject: sub, issuedAt: iat };
  }

  async #verify(text: string): Promise<JWTPayload> {
    try {
      const { payload } = await jwtVerify(text, this.keys, {
        issuer: this.options.issuer,
        audience: this.options.clientId,
        typ: 'logout+jwt',
        algorithms: [...SIGNING_ALGORITHMS],
        maxTokenAge: MAX_AGE,
        clockTolerance: CLOCK_TOLERANCE,
        currentDate: new Date(this.now()),
        requiredClaims: ['iss', 'aud', 'iat', 'exp', 'jti', 'events'],
      });
      return payload;
    } catch (error) {
      // Errors of the library contain the claims, so only their code is used.
      if (error instanceof errors.JOSEError) throw new LogoutTokenError(error.code.toLowerCase());
      throw error;
    }
  }
}

function isLogoutEvent(events: unknown): boolean {
  const event = isObject(events) ? events[EVENT] : undefined;
  return isObject(event);
}

function isIdentifier(value: unknown): value is string | undefined {
  return value === undefined || (typeof value === 'string' && value !== '');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
