import type { IssuedToken } from '../protocol/issued-token.js';
import { messageHeadersOf, type MessageHeaders } from './message-headers.js';
import { clientCredentialsRequest } from './token-request.js';
import type { TokenSources } from './token-sources.js';

export interface TokenOrigin {
  /** The issuer that grants the token. Default: the first issuer of the module. */
  readonly issuer?: string;
}

/**
 * Gets tokens by client credentials (RFC 6749 §4.4) for transports such as NATS; for HTTP, use
 * `ServiceClient.asService(scope)`. Concurrent callers share one token request, and a token is reused until shortly
 * before expiry.
 */
export class ClientCredentialsTokenProvider {
  constructor(private readonly tokens: Pick<TokenSources, 'get'>) {}

  /**
   * Returns a token with the space-separated scopes of `scope`, or with the realm's default scopes. In Keycloak the
   * scope also decides the audience.
   *
   * Throws `AuthorizationServerError` (`authorization_server_refused`) if the server refuses credentials or scope, or
   * grants a token without the scope. Throws `AuthorizationServerError` (`authorization_server_unavailable`) if no
   * usable answer arrives, and `TypeError` for an unknown issuer.
   */
  async getToken(scope?: string, { issuer }: TokenOrigin = {}): Promise<IssuedToken> {
    return this.tokens.get(clientCredentialsRequest(scope, issuer));
  }

  /**
   * Returns the token of `getToken` as message headers (`{ authorization: 'Bearer …' }`) for NATS, RabbitMQ and gRPC.
   * Throws the same errors as `getToken`.
   */
  async messageHeaders(scope?: string, origin?: TokenOrigin): Promise<MessageHeaders> {
    return messageHeadersOf(await this.getToken(scope, origin));
  }
}
