/** ClientCredentialsTokenProvider: tokens for this service in its own name. */
import type { IssuedToken } from '../protocol/issued-token.js';
import { messageHeadersOf, type MessageHeaders } from './message-headers.js';
import { clientCredentialsRequest } from './token-request.js';
import type { TokenSources } from './token-sources.js';

export interface TokenOrigin {
  /** One of the issuers of the module. Default: the first, or only one. */
  readonly issuer?: string;
}

/**
 * Client credentials grant (RFC 6749 §4.4). A token is reused until shortly before it expires, and any number of
 * callers who want the same one at the same time share one request.
 *
 * To call a service, `ServiceClient.asService(scope)` does this and the call; this is for other transports.
 */
export class ClientCredentialsTokenProvider {
  constructor(private readonly tokens: Pick<TokenSources, 'get'>) {}

  /**
   * A token with `scope` (a space-separated set), which in Keycloak also decides its audience; without it, with what the realm gives unasked. Of several issuers it comes from the first, or from
   * `issuer`.
   *
   * Throws `AuthorizationServerError`: `authorization_server_refused` when the credentials or the scope are refused or
   * the grant lacks the scope, `authorization_server_unavailable` when there was no usable answer. `TypeError` for an issuer that the
   * module does not have.
   */
  async getToken(scope?: string, { issuer }: TokenOrigin = {}): Promise<IssuedToken> {
    return this.tokens.get(clientCredentialsRequest(scope, issuer));
  }

  /** The same as headers of a message (`{ authorization: 'Bearer …' }`), for NATS, RabbitMQ and gRPC. Throws as `getToken` does. */
  async messageHeaders(scope?: string, origin?: TokenOrigin): Promise<MessageHeaders> {
    return messageHeadersOf(await this.getToken(scope, origin));
  }
}
