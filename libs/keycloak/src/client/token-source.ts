/** TokenSource: a token for a request, from the cache while it lasts, else from one flight to the server. */
import type { TokenEndpoint } from '../authorization-server/token-endpoint.js';
import type { TokenRequestParameters } from '../authorization-server/token-request-parameters.js';
import type { Clock } from '../caching/clock.js';
import { DeadlineCache } from '../caching/deadline-cache.js';
import { KeyGroups } from '../caching/key-groups.js';
import { RenewingCache, type Renewable } from '../caching/renewing-cache.js';
import { failureCode, publishToken, tokenRequests, type TokenMessage } from '../diagnostics/token-channel.js';
import { BearerError } from '../protocol/bearer-error.js';
import type { IssuedToken } from '../protocol/issued-token.js';
import { CLIENT_CREDENTIALS_GRANT, TOKEN_EXCHANGE_GRANT } from '../protocol/identifiers.js';
import { Refusal } from '../protocol/refusal.js';
import { subjectTokenText } from '../protocol/verified-access-token.js';
import type { RevocationList } from '../revocation/revocation-list.js';
import type { TokenSourceLog } from './token-source-log.js';
import { tokenRequestKey, type TokenRequest } from './token-request.js';

export interface TokenSourceOptions {
  readonly issuer: string;
  readonly clientId: string;
  /** How long a token must still live to be given out: the time for which a call may be in flight. */
  readonly minRemainingLifetimeSeconds: number;
  readonly maxCachedTokens: number;
}

/** A token is renewed when between 80 and 90 % of its useful time are over: not all at once, and before the end. */
const RENEW_FROM = 0.8;
const RENEW_JITTER = 0.1;

/** How long a definite refusal (a scope that is not granted, a wrong secret) is remembered instead of asked for again. */
const REFUSAL_MEMORY_MS = 2000;

/** How often at most a token is replaced because its audience refused it: a service that always says 401 costs no storm. */
const REPLACEMENT_PAUSE_MS = 5000;

export class TokenSource {
  readonly #tokens: RenewingCache<IssuedToken>;
  /** By a subject token's hash: the keys of what was or is being exchanged from it, for as long as there is any. */
  readonly #keysOfSubject = new KeyGroups();
  readonly #justReplaced: DeadlineCache<true>;

  constructor(
    private readonly endpoint: Pick<TokenEndpoint, 'request'>,
    private readonly options: TokenSourceOptions,
    private readonly clock: Clock,
    private readonly log: TokenSourceLog,
    private readonly revocations: Pick<RevocationList, 'denies'>,
  ) {
    this.#tokens = new RenewingCache(
      options.maxCachedTokens,
      clock,
      (failure) => (isDefinite(failure) ? REFUSAL_MEMORY_MS : 0),
      (key) => this.#keysOfSubject.delete(key),
    );
    this.#justReplaced = new DeadlineCache(options.maxCachedTokens, clock);
  }

  /** The token that `get` would give without waiting, if there is one. Throws when its subject's token is denied. */
  known(request: TokenRequest): IssuedToken | undefined {
    this.#refuseDenied(request);
    const startMs = tokenRequests.hasSubscribers ? this.clock.monotonicMs() : undefined;
    const key = this.#key(request);
    const token = this.#tokens.known(key, () => this.#obtain(key, request));
    if (token !== undefined && startMs !== undefined) publishToken(request, 'reused', this.clock, startMs);
    return token;
  }

  /**
   * Errors are those of `TokenEndpoint.request`; a failure is shared by those who wait for it. Failures are not kept, but
   * definite refusals are, for two seconds. And `BearerError` `invalid_token` (reason `revoked`) when the subject's token
   * has been denied since it was judged, be it while the exchange was under way.
   */
  async get(request: TokenRequest): Promise<IssuedToken> {
    this.#refuseDenied(request);
    const key = this.#key(request);
    return tokenRequests.hasSubscribers
      ? this.#getAndTell(key, request)
      : this.#tokens.get(key, () => this.#obtain(key, request));
  }

  /**
   * Forgets `token`, which its audience refused; one that has come since then stays. False when another one would hardly
   * help, because the last one was replaced a moment ago for the same reason.
   */
  dropRefused(request: TokenRequest, token: IssuedToken): boolean {
    const key = this.#key(request);
    if (this.#tokens.peek(key) !== token) return true;
    if (this.#justReplaced.get(key) === true) return false;
    this.#justReplaced.set(key, true, REPLACEMENT_PAUSE_MS);
    this.#tokens.delete(key, token);
    return true;
  }

  /** Forgets every token that was or is being exchanged from the one with this SHA-256, which was found inactive. */
  dropExchangedFrom(subjectTokenHash: string): void {
    for (const key of this.#keysOfSubject.keysOf(subjectTokenHash)) this.#tokens.evict(key);
  }

  /** As `get`, by whoever wants the token: the flight itself runs in the context of the one that began it. */
  async #getAndTell(key: string, request: TokenRequest): Promise<IssuedToken> {
    const startMs = this.clock.monotonicMs();
    const isThere = this.#tokens.peek(key) !== undefined;
    let outcome: TokenMessage['outcome'] = !isThere && this.#tokens.isInFlight(key) ? 'joined' : 'reused';
    try {
      const token = await this.#tokens.get(key, () => {
        if (!isThere) outcome = 'requested';
        return this.#obtain(key, request);
      });
      publishToken(request, outcome, this.clock, startMs);
      return token;
    } catch (error) {
      publishToken(request, outcome, this.clock, startMs, failureCode(error));
      throw error;
    }
  }

  async #obtain(key: string, request: TokenRequest): Promise<Renewable<IssuedToken>> {
    // Before it is sent: the subject may be found inactive while the first exchange is under way.
    if (request.grant === TOKEN_EXCHANGE_GRANT) this.#keysOfSubject.add(request.subject.hash, key);
    const startMs = this.clock.monotonicMs();
    const token = await this.endpoint.request(parametersOf(request));
    // Before it is kept: a denial that came while this was under way holds for what it brings, for those who wait too.
    this.#refuseDenied(request);
    const durationMs = this.clock.monotonicMs() - startMs;
    this.log.obtained(request, token, durationMs);
    const usableMs = this.#usableMs(request, token) - durationMs;
    return { value: token, usableMs, freshMs: usableMs * (RENEW_FROM + RENEW_JITTER * Math.random()) };
  }

  /** Whoever holds a judged token may have held it since before it was denied; what was made of it goes as well. */
  #refuseDenied(request: TokenRequest): void {
    if (request.grant !== TOKEN_EXCHANGE_GRANT || !this.revocations.denies(request.subject)) return;
    this.dropExchangedFrom(request.subject.hash);
    const { issuer: iss, clientId: azp, claims } = request.subject;
    throw new BearerError('invalid_token', { reason: 'revoked', fields: { iss, azp, jti: claims.jti } });
  }

  /**
   * Until shortly before the token's expiry, and never past the expiry of the token it was exchanged from. Of a token that
   * lives hardly longer than that, half its life is used: it must not be asked for anew on every request.
   */
  #usableMs(request: TokenRequest, token: IssuedToken): number {
    const left =
      request.grant === TOKEN_EXCHANGE_GRANT ? request.subject.expiresAt - this.clock.epochSeconds() : Infinity;
    const lifetime = Math.min(token.lifetimeSeconds, left);
    return (lifetime - Math.min(this.options.minRemainingLifetimeSeconds, lifetime / 2)) * 1000;
  }

  #key(request: TokenRequest): string {
    return tokenRequestKey(this.options.issuer, this.options.clientId, request);
  }
}

/** Whether the server has understood and said no, as it would again. */
function isDefinite(failure: Error): boolean {
  return failure instanceof Refusal && failure.code !== 'authorization_server_unavailable';
}

function parametersOf(request: TokenRequest): TokenRequestParameters {
  if (request.grant === CLIENT_CREDENTIALS_GRANT) return { grant_type: request.grant, scope: request.scope };
  const { grant, subject, audience, scope } = request;
  return { grant_type: grant, subject_token: subjectTokenText(subject), audience, scope };
}
