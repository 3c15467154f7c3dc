/** OwnTokenProbe: what the server would grant this service, tried with its own credentials. No token leaves this file. */
import type { TokenEndpointResponse } from 'oauth4webapi';
import type { Clock } from '../caching/clock.js';
import { parseScope } from '../protocol/scope.js';
import { unverifiedAudiences } from '../protocol/unverified-claims.js';
import type { CallPolicy } from '../resilience/call-policy.js';
import type { ServerMetadata } from './metadata.js';
import type { OAuthClientContext } from './oauth-client-context.js';
import { TokenCalls } from './token-calls.js';

/** What a token that was granted says of itself. The token is thrown away. */
export interface GrantedToken {
  readonly scope: readonly string[];
  readonly audiences: readonly string[];
  /** Undefined where the server does not say. */
  readonly lifetimeSeconds: number | undefined;
}

/** For so long one token of its own stands in for callers, in however many exchanges. */
const SUBJECT_LIFETIME_MS = 10_000;

/**
 * At the server it leaves events, and tokens that end by themselves; and sessions, where a client gets refresh tokens for client credentials,
 * which Keycloak does not do by default.
 */
export class OwnTokenProbe {
  readonly #calls: TokenCalls;
  #subject: { readonly token: Promise<string>; readonly untilMs: number } | undefined;

  constructor(
    private readonly context: OAuthClientContext,
    metadata: ServerMetadata,
    policy: CallPolicy,
    private readonly clock: Pick<Clock, 'monotonicMs'>,
  ) {
    this.#calls = new TokenCalls(context, metadata, policy);
  }

  /** A token in this service's own name; an empty `scope` asks for none. Throws `AuthorizationServerError`. */
  async ownToken(scope: string): Promise<GrantedToken> {
    return granted(await this.#own(scope), scope);
  }

  /**
   * The exchange of a token in this service's own name, which stands in for that of a caller. Without `audience` the scope alone
   * decides. Throws as `TokenEndpoint.exchange` does, without a second question.
   */
  async exchange(scope: string, audience?: string): Promise<GrantedToken> {
    const asked = { grant: 'token_exchange', scope, ...(audience === undefined ? {} : { audience }) } as const;
    return granted(await this.#calls.exchange(await this.#subjectToken(), asked), scope);
  }

  async #own(scope: string): Promise<TokenEndpointResponse> {
    const response = await this.#calls.clientCredentials({ grant: 'client_credentials', scope });
    this.context.clockSkew.observeIssued(response.access_token);
    return response;
  }

  #subjectToken(): Promise<string> {
    const nowMs = this.clock.monotonicMs();
    if (this.#subject === undefined || nowMs >= this.#subject.untilMs) {
      const token = this.#own('').then(({ access_token }) => access_token);
      const subject = { token, untilMs: nowMs + SUBJECT_LIFETIME_MS };
      this.#subject = subject;
      // A failure is not remembered: the next exchange asks again.
      token.catch(() => {
        if (this.#subject === subject) this.#subject = undefined;
      });
    }
    return this.#subject.token;
  }
}

/** RFC 6749 §5.1: a scope that is left out is the one that was asked for. */
function granted(response: TokenEndpointResponse, asked: string): GrantedToken {
  const { access_token, scope = asked, expires_in } = response;
  return { scope: parseScope(scope), audiences: unverifiedAudiences(access_token), lifetimeSeconds: expires_in };
}
