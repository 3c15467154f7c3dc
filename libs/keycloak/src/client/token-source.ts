import type { TokenEndpoint } from '../authorization-server/token-endpoint.js';
import type { Clock } from '../caching/clock.js';
import { DeadlineCache } from '../caching/deadline-cache.js';
import { KeyGroups } from '../caching/key-groups.js';
import { renewAfterMs, type RenewalWindow } from '../caching/renewal.js';
import { RenewingCache, type Renewable } from '../caching/renewing-cache.js';
import type { Dated, SharedLevel } from '../caching/shared-level.js';
import { publishToken, tokenRequests, type TokenMessage } from '../diagnostics/token-channel.js';
import { BearerError } from '../protocol/bearer-error.js';
import { IssuedToken } from '../protocol/issued-token.js';
import { TOKEN_EXCHANGE_GRANT } from '../protocol/identifiers.js';
import { KeycloakException } from '../protocol/keycloak-exception.js';
import { tokenHash } from '../protocol/token-hash.js';
import { ownerOf } from '../protocol/verified-access-token.js';
import type { HeldDenials } from '../revocation/held-denials.js';
import type { TokenSourceLog } from './token-source-log.js';
import { tokenRequestKey, type TokenRequest } from './token-request.js';

export interface TokenSourceOptions {
  readonly issuer: string;
  readonly clientId: string;
  readonly minRemainingLifetimeSeconds: number;
  readonly maxCachedTokens: number;
}

const RENEWAL: RenewalWindow = { from: 0.8, to: 0.9 };

const REFUSAL_MEMORY_MS = 2000;

/**
 * For an hour, which exceeds every token lifetime, the process ignores shared tokens that were exchanged from an
 * inactive subject token.
 */
const DROPPED_MEMORY_MS = 3_600_000;
const MAX_DROPPED = 10_000;

/** Limits the token requests if a service refuses every token. */
const REPLACEMENT_PAUSE_MS = 5000;

export class TokenSource {
  readonly #tokens: RenewingCache<IssuedToken>;
  readonly #keysOfSubject = new KeyGroups();
  readonly #justReplaced: DeadlineCache<true>;
  /** The SHA-256 hashes of refused tokens that other replicas may still share. */
  readonly #refused: DeadlineCache<true>;
  /** The SHA-256 hashes of inactive subject tokens that this process has exchanged. */
  readonly #dropped: DeadlineCache<true>;
  /**
   * The SHA-256 hashes of inactive subject tokens that this process has not exchanged. Anyone can send inactive tokens,
   * so the hashes of unused tokens must not evict entries of `#dropped`.
   */
  readonly #droppedUnused: DeadlineCache<true>;

  constructor(
    private readonly endpoint: Pick<TokenEndpoint, 'clientCredentials' | 'exchange'>,
    private readonly options: TokenSourceOptions,
    private readonly clock: Clock,
    private readonly log: TokenSourceLog,
    private readonly denials: Pick<HeldDenials, 'denies'>,
    private readonly shared?: SharedLevel,
  ) {
    this.#refused = new DeadlineCache(options.maxCachedTokens, clock);
    this.#dropped = new DeadlineCache(MAX_DROPPED, clock);
    this.#droppedUnused = new DeadlineCache(MAX_DROPPED, clock);
    this.#tokens = new RenewingCache(
      options.maxCachedTokens,
      clock,
      (failure) => (isDefinite(failure) ? REFUSAL_MEMORY_MS : 0),
      (key) => this.#keysOfSubject.delete(key),
    );
    this.#justReplaced = new DeadlineCache(options.maxCachedTokens, clock);
  }

  get size(): number {
    return this.#tokens.size;
  }

  /** Throws `BearerError` `invalid_token` (`revoked`) if the subject token is denied before or during the exchange. */
  get(request: TokenRequest): IssuedToken | Promise<IssuedToken> {
    this.#refuseDenied(request);
    const key = tokenRequestKey(this.options.issuer, this.options.clientId, request);
    if (!tokenRequests.hasSubscribers) return this.#tokens.get(key, () => this.#obtain(key, request));
    const startMs = this.clock.monotonicMs();
    let outcome: TokenMessage['outcome'] = 'reused';
    const token = this.#tokens.get(key, () => {
      outcome = 'requested';
      return this.#obtain(key, request, () => {
        outcome = 'shared';
      });
    });
    // A cached token counts as reused, even if it starts a renewal in the background.
    if (!(token instanceof Promise)) outcome = 'reused';
    else if (outcome === 'reused' && this.#tokens.isInFlight(key)) outcome = 'joined';
    return publishToken(this.options.issuer, request, () => outcome, token, this.clock, startMs);
  }

  /** Returns false within `REPLACEMENT_PAUSE_MS` after a replacement, because another replacement would rarely help. */
  dropRefused(request: TokenRequest, token: IssuedToken): boolean {
    const key = tokenRequestKey(this.options.issuer, this.options.clientId, request);
    if (this.#tokens.peek(key) !== token) return true;
    if (this.#justReplaced.get(key) === true) return false;
    this.#justReplaced.set(key, true, REPLACEMENT_PAUSE_MS);
    this.#tokens.delete(key, token);
    if (this.shared !== undefined) this.#refused.set(tokenHash(token.reveal()), true, token.lifetimeSeconds * 1000);
    return true;
  }

  dropExchangedFrom(subjectTokenHash: string): void {
    const keys = this.#keysOfSubject.keysOf(subjectTokenHash);
    const dropped = keys.length > 0 ? this.#dropped : this.#droppedUnused;
    if (this.shared !== undefined) dropped.set(subjectTokenHash, true, DROPPED_MEMORY_MS);
    for (const key of keys) this.#tokens.evict(key);
  }

  async #obtain(
    key: string,
    request: TokenRequest,
    onShared: () => void = () => undefined,
  ): Promise<Renewable<IssuedToken>> {
    // Adds the cache key before the exchange, because the subject token may become inactive during the exchange.
    if (request.grant === TOKEN_EXCHANGE_GRANT) this.#keysOfSubject.add(request.subject.hash, key);
    const isRenewal = this.#tokens.peek(key) !== undefined;
    const shared = this.#isDropped(request) ? undefined : this.shared;
    const found =
      shared && (await shared.find(`token ${key}`, Infinity, (text, at) => this.#usable(request, text, at, isRenewal)));
    if (found !== undefined) onShared();
    const dated = found ?? (await this.#ask(key, request));
    // A denial during the token request also applies to every waiting caller.
    this.#refuseDenied(request);
    const usableMs = this.#usableMs(request, dated);
    return { value: dated.value, usableMs, freshMs: renewAfterMs(usableMs, RENEWAL) };
  }

  async #ask(key: string, request: TokenRequest): Promise<Dated<IssuedToken>> {
    const askedAtMs = this.clock.monotonicMs();
    try {
      const value = await this.#request(request);
      this.#refuseDenied(request);
      this.log.obtained(request, value, this.clock.monotonicMs() - askedAtMs);
      const dated = { value, askedAtMs };
      this.#share(key, request, dated);
      return dated;
    } catch (error) {
      this.shared?.release(`token ${key}`);
      if (request.grant !== TOKEN_EXCHANGE_GRANT || !(error instanceof BearerError)) throw error;
      this.#endUse(key, request.subject.hash, error);
      // Adds the subject to the error, because a request with a session cookie does not name the subject.
      throw error.add(ownerOf(request.subject));
    }
  }

  /**
   * The server has refused an exchange for good, so tokens of earlier exchanges are no longer used. Pending exchanges go
   * on, because the server decides about each.
   */
  #endUse(key: string, subjectTokenHash: string, { code }: BearerError): void {
    const isOfSubject = code === 'invalid_token';
    if (isOfSubject && this.shared !== undefined) this.#dropped.set(subjectTokenHash, true, DROPPED_MEMORY_MS);
    for (const each of isOfSubject ? this.#keysOfSubject.keysOf(subjectTokenHash) : [key]) {
      const held = this.#tokens.peek(each);
      if (held !== undefined) this.#tokens.delete(each, held);
    }
  }

  #share(key: string, request: TokenRequest, dated: Dated<IssuedToken>): void {
    const { value, askedAtMs } = dated;
    const servesMs = this.#isDropped(request) ? 0 : this.#usableMs(request, dated);
    const text: SharedToken = [value.reveal(), value.scope, value.lifetimeSeconds];
    if (servesMs > 0) this.shared?.put(`token ${key}`, { text: JSON.stringify(text), askedAtMs, servesMs });
    else this.shared?.release(`token ${key}`);
  }

  #isDropped(request: TokenRequest): boolean {
    if (request.grant !== TOKEN_EXCHANGE_GRANT) return false;
    const { hash } = request.subject;
    return this.#dropped.get(hash) === true || this.#droppedUnused.get(hash) === true;
  }

  /** A renewal ignores shared tokens that are themselves due for renewal. */
  #usable(request: TokenRequest, text: string, askedAtMs: number, isRenewal: boolean): IssuedToken | undefined {
    const [token, scope, lifetimeSeconds] = JSON.parse(text) as SharedToken;
    if (this.#isDropped(request) || this.#refused.get(tokenHash(token)) === true) return undefined;
    const value = new IssuedToken(token, scope, lifetimeSeconds);
    const leftMs = this.#usableMs(request, { value, askedAtMs });
    const ageMs = this.clock.monotonicMs() - askedAtMs;
    const isSpent = isRenewal && ageMs > RENEWAL.from * (ageMs + leftMs);
    return leftMs > 0 && !isSpent ? value : undefined;
  }

  async #request(request: TokenRequest): Promise<IssuedToken> {
    return request.grant === TOKEN_EXCHANGE_GRANT
      ? this.endpoint.exchange(request.subject, request.audience, request.scope)
      : this.endpoint.clientCredentials(request.scope);
  }

  #refuseDenied(request: TokenRequest): void {
    if (request.grant !== TOKEN_EXCHANGE_GRANT || !this.denials.denies(request.subject)) return;
    this.dropExchangedFrom(request.subject.hash);
    const { issuer: iss, clientId: azp, claims } = request.subject;
    throw new BearerError('invalid_token', { reason: 'revoked', fields: { iss, azp, jti: claims.jti } });
  }

  /** A very short-lived token is used for half its lifetime, so that not every call must request a token. */
  #usableMs(request: TokenRequest, { value: token, askedAtMs }: Dated<IssuedToken>): number {
    const left =
      request.grant === TOKEN_EXCHANGE_GRANT ? request.subject.expiresAt - this.clock.epochSeconds() : Infinity;
    const ageSeconds = (this.clock.monotonicMs() - askedAtMs) / 1000;
    const lifetime = Math.min(token.lifetimeSeconds, left + ageSeconds);
    return (lifetime - ageSeconds - Math.min(this.options.minRemainingLifetimeSeconds, lifetime / 2)) * 1000;
  }
}

type SharedToken = readonly [token: string, scope: readonly string[], lifetimeSeconds: number];

/** Whether a repeated request would also fail. */
function isDefinite(failure: Error): boolean {
  return failure instanceof KeycloakException && failure.code !== 'authorization_server_unavailable';
}
