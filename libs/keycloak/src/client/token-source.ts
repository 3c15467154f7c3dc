/** TokenSource: a token for a request, from the cache while it lasts, else from one flight to the server. */
import type { TokenEndpoint } from '../authorization-server/token-endpoint.js';
import type { TokenRequestParameters } from '../authorization-server/token-request-parameters.js';
import type { Clock } from '../caching/clock.js';
import { DeadlineCache } from '../caching/deadline-cache.js';
import { SingleFlight } from '../caching/single-flight.js';
import type { IssuedToken } from '../protocol/issued-token.js';
import { CLIENT_CREDENTIALS_GRANT, TOKEN_EXCHANGE_GRANT } from '../protocol/identifiers.js';
import type { TokenSourceLog } from './token-source-log.js';
import { subjectTokenText } from '../protocol/verified-access-token.js';
import { tokenRequestKey, type TokenRequest } from './token-request.js';

export interface TokenSourceOptions {
  readonly issuer: string;
  readonly clientId: string;
  /** How long before its expiry a token is no longer given out: the time a call may still be under way. */
  readonly renewBeforeExpirySeconds: number;
  readonly maxCachedTokens: number;
}

export class TokenSource {
  readonly #tokens: DeadlineCache<IssuedToken>;
  readonly #flights = new SingleFlight<IssuedToken>();

  constructor(
    private readonly endpoint: Pick<TokenEndpoint, 'request'>,
    private readonly options: TokenSourceOptions,
    private readonly clock: Clock,
    private readonly log: TokenSourceLog,
  ) {
    this.#tokens = new DeadlineCache(options.maxCachedTokens, clock);
  }

  /** Errors are those of `TokenEndpoint.request`; a failure is shared by those who wait for it and kept for nobody. */
  async get(request: TokenRequest): Promise<IssuedToken> {
    const key = this.#key(request);
    return this.#tokens.get(key) ?? this.#flights.run(key, async () => this.#obtain(key, request));
  }

  /** Forgets `token`, which its audience refused; one that has come since then stays. */
  drop(request: TokenRequest, token: IssuedToken): void {
    this.#tokens.delete(this.#key(request), token);
  }

  async #obtain(key: string, request: TokenRequest): Promise<IssuedToken> {
    const startMs = this.clock.monotonicMs();
    const token = await this.endpoint.request(parametersOf(request));
    const durationMs = this.clock.monotonicMs() - startMs;
    this.#tokens.set(key, token, this.#usableMs(request, token) - durationMs);
    this.log.obtained(request, token, durationMs);
    return token;
  }

  /** Until shortly before the token's expiry, and never past the expiry of the token it was exchanged from. */
  #usableMs(request: TokenRequest, token: IssuedToken): number {
    const left =
      request.grant === TOKEN_EXCHANGE_GRANT ? request.subject.expiresAt - this.clock.epochSeconds() : Infinity;
    return (Math.min(token.lifetimeSeconds, left) - this.options.renewBeforeExpirySeconds) * 1000;
  }

  #key(request: TokenRequest): string {
    return tokenRequestKey(this.options.issuer, this.options.clientId, request);
  }
}

function parametersOf(request: TokenRequest): TokenRequestParameters {
  if (request.grant === CLIENT_CREDENTIALS_GRANT) return { grant_type: request.grant, scope: request.scope };
  const { grant, subject, audience, scope } = request;
  return { grant_type: grant, subject_token: subjectTokenText(subject), audience, scope };
}
