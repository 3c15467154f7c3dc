/** OwnTokenProbe: what the server would grant this service, tried with its own credentials. No token leaves this file. */
import type { TokenEndpointResponse } from 'oauth4webapi';
import { parseScope } from '../protocol/scope.js';
import { unverifiedAudiences } from '../protocol/unverified-claims.js';
import type { CallPolicy } from '../resilience/call-policy.js';
import type { ServerMetadata } from './metadata.js';
import type { OAuthClientContext } from './oauth-client-context.js';
import { measureClock, TokenCalls } from './token-calls.js';

/** What a token that was granted says of itself. The token is thrown away. */
export interface GrantedToken {
  readonly scope: readonly string[];
  readonly audiences: readonly string[];
  /** In seconds; 0 where the server does not say. */
  readonly lifetimeSeconds: number;
}

/** It changes nothing at the server but for its events: the tokens belong to no session, and end by themselves. */
export class OwnTokenProbe {
  readonly #calls: TokenCalls;

  constructor(
    private readonly context: OAuthClientContext,
    metadata: ServerMetadata,
    policy: CallPolicy,
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
    const { access_token } = await this.#own('');
    const asked = { grant: 'token_exchange', scope, ...(audience === undefined ? {} : { audience }) } as const;
    return granted(await this.#calls.exchange(access_token, asked), scope);
  }

  async #own(scope: string): Promise<TokenEndpointResponse> {
    const response = await this.#calls.clientCredentials({ grant: 'client_credentials', scope });
    measureClock(this.context, response);
    return response;
  }
}

/** RFC 6749 §5.1: a scope that is left out is the one that was asked for. */
function granted(response: TokenEndpointResponse, asked: string): GrantedToken {
  const { access_token, scope = asked, expires_in = 0 } = response;
  return { scope: parseScope(scope), audiences: unverifiedAudiences(access_token), lifetimeSeconds: expires_in };
}
