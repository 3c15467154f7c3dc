/** ClientCredentialsTokenProvider: tokens for this service in its own name. */
import type { IssuedToken } from '../protocol/issued-token.js';
import { messageHeadersOf, type MessageHeaders } from './message-headers.js';
import { clientCredentialsRequest } from './token-request.js';
import type { TokenSources } from './token-sources.js';

export interface TokenOrigin {
  /** An issuer of the module. Default: the first. */
  readonly issuer?: string;
}

/**
 * Client credentials grant (RFC 6749 §4.4). Concurrent callers with the same request share one call to the server, and
 * the token is reused until shortly before it expires.
 *
 * This class is for other transports than HTTP, which `ServiceClient.asService(scope)` covers.
 */
export class ClientCredentialsTokenProvider {
  constructor(private readonly tokens: Pick<TokenSources, 'get'>) {}

  /**
   * Returns a token with `scope` (a space-separated set), which in Keycloak also decides the audience. Without `scope`
   * the token has what the realm grants by default.
   *
   * Throws `AuthorizationServerError`. `authorization_server_refused`: the server refused the credentials or the scope,
   * or granted a token without the scope. `authorization_server_unavailable`: the server gave no usable answer.
   *
   * Throws `TypeError` for an issuer that the module does not have.
   */
  async getToken(scope?: string, { issuer }: TokenOrigin = {}): Promise<IssuedToken> {
    return this.tokens.get(clientCredentialsRequest(scope, issuer));
  }

  /**
   * The token of `getToken` as message headers (`{ authorization: 'Bearer …' }`) for NATS, RabbitMQ and gRPC. Throws as
   * `getToken` does.
   */
  async messageHeaders(scope?: string, origin?: TokenOrigin): Promise<MessageHeaders> {
    return messageHeadersOf(await this.getToken(scope, origin));
  }
}
