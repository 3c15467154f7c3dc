/** TokenSource: a token for a request, from the cache while it lasts, else from one flight to the server. */
import { LRUCache } from 'lru-cache';
import type { TokenEndpoint } from '../authorization-server/token-endpoint.js';
import type { TokenRequestParameters } from '../authorization-server/token-request-parameters.js';
import type { Clock } from '../caching/clock.js';
import { RenewingCache, type Renewable } from '../caching/renewing-cache.js';
import type { IssuedToken } from '../protocol/issued-token.js';
import { CLIENT_CREDENTIALS_GRANT, TOKEN_EXCHANGE_GRANT } from '../protocol/identifiers.js';
import type { TokenSourceLog } from './token-source-log.js';
import { tokenHash } from '../protocol/fingerprint.js';
import { subjectTokenText, type VerifiedAccessToken } from '../protocol/verified-access-token.js';
import { tokenRequestKey, type TokenRequest } from './token-request.js';

export interface TokenSourceOptions {
  readonly issuer: string;
  readonly clientId: string;
  /** How long before its expiry a token is no longer given out: the time a call may still be under way. */
  readonly renewBeforeExpirySeconds: number;
  readonly maxCachedTokens: number;
}

/** A token is renewed when between 80 and 90 % of its useful time are over: not all at once, and before the end. */
const RENEW_FROM = 0.8;
const RENEW_JITTER = 0.1;

export class TokenSource {
  readonly #tokens: RenewingCache<IssuedToken>;
  /** Which keys hold tokens that were exchanged from a subject token, by its hash. */
  readonly #keysOfSubject: LRUCache<string, Set<string>>;

  constructor(
    private readonly endpoint: Pick<TokenEndpoint, 'request'>,
    private readonly options: TokenSourceOptions,
    private readonly clock: Clock,
    private readonly log: TokenSourceLog,
  ) {
    this.#tokens = new RenewingCache(options.maxCachedTokens, clock);
    this.#keysOfSubject = new LRUCache({ max: options.maxCachedTokens });
  }

  /** Errors are those of `TokenEndpoint.request`; a failure is shared by those who wait for it and kept for nobody. */
  async get(request: TokenRequest): Promise<IssuedToken> {
    const key = this.#key(request);
    return this.#tokens.get(key, () => this.#obtain(key, request));
  }

  /** Forgets `token`, which its audience refused; one that has come since then stays. */
  drop(request: TokenRequest, token: IssuedToken): void {
    this.#tokens.delete(this.#key(request), token);
  }

  /** Forgets every token that was exchanged from the one with this SHA-256, which was found inactive. */
  dropExchangedFrom(subjectTokenHash: string): void {
    for (const key of this.#keysOfSubject.get(subjectTokenHash) ?? []) this.#tokens.forget(key);
    this.#keysOfSubject.delete(subjectTokenHash);
  }

  async #obtain(key: string, request: TokenRequest): Promise<Renewable<IssuedToken>> {
    const startMs = this.clock.monotonicMs();
    const token = await this.endpoint.request(parametersOf(request));
    const durationMs = this.clock.monotonicMs() - startMs;
    if (request.grant === TOKEN_EXCHANGE_GRANT) this.#rememberSubject(key, request.subject);
    this.log.obtained(request, token, durationMs);
    const usableMs = this.#usableMs(request, token) - durationMs;
    return { value: token, usableMs, freshMs: usableMs * (RENEW_FROM + RENEW_JITTER * Math.random()) };
  }

  /**
   * Until shortly before the token's expiry, and never past the expiry of the token it was exchanged from. Of a token that
   * lives hardly longer than that, half its life is used: it must not be asked for anew on every request.
   */
  #usableMs(request: TokenRequest, token: IssuedToken): number {
    const left =
      request.grant === TOKEN_EXCHANGE_GRANT ? request.subject.expiresAt - this.clock.epochSeconds() : Infinity;
    const lifetime = Math.min(token.lifetimeSeconds, left);
    return (lifetime - Math.min(this.options.renewBeforeExpirySeconds, lifetime / 2)) * 1000;
  }

  #key(request: TokenRequest): string {
    return tokenRequestKey(this.options.issuer, this.options.clientId, request);
  }

  #rememberSubject(key: string, subject: VerifiedAccessToken): void {
    const hash = tokenHash(subjectTokenText(subject));
    const keys = this.#keysOfSubject.get(hash) ?? new Set();
    this.#keysOfSubject.set(hash, keys.add(key));
  }
}

function parametersOf(request: TokenRequest): TokenRequestParameters {
  if (request.grant === CLIENT_CREDENTIALS_GRANT) return { grant_type: request.grant, scope: request.scope };
  const { grant, subject, audience, scope } = request;
  return { grant_type: grant, subject_token: subjectTokenText(subject), audience, scope };
}
