/** TokenExchangeClient: exchanges the token that this service was called with for a token for the next service. */
import type { IssuedToken } from '../protocol/issued-token.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import { messageHeadersOf, type MessageHeaders } from './message-headers.js';
import { tokenExchangeRequest } from './token-request.js';
import type { TokenSources } from './token-sources.js';

/**
 * Token exchange (RFC 8693), as in Keycloak's standard token exchange. The subject stays the same, and the client
 * becomes this service. A token is reused for the same subject token, audience and scope, until shortly before it or
 * the subject token expires.
 *
 * This class is for other transports than HTTP, which `ServiceClient.onBehalfOf(token, scope)` covers.
 */
export class TokenExchangeClient {
  constructor(private readonly tokens: Pick<TokenSources, 'get'>) {}

  /**
   * Returns a token for `audience` with `scope` (a space-separated set), on behalf of the subject. In Keycloak the
   * audience is a client id at the issuer of `subject`, where the exchange takes place. Leave `scope` out in a realm
   * that only has roles.
   *
   * Throws `BearerError`. `invalid_token`: the server no longer accepts the subject token, or the `RevocationList`
   * denies it. `insufficient_scope`: the subject may not have the scope.
   *
   * Throws `AuthorizationServerError` as `ClientCredentialsTokenProvider` does.
   */
  async exchange(
    subject: VerifiedAccessToken,
    target: { readonly audience: string; readonly scope?: string },
  ): Promise<IssuedToken> {
    return this.tokens.get(tokenExchangeRequest(subject, target.audience, target.scope));
  }

  /**
   * The token of `exchange` as message headers (`{ authorization: 'Bearer …' }`), so that the consumer acts on behalf
   * of the caller. Send them as headers with NATS and RabbitMQ, and as metadata with gRPC. Throws as `exchange` does.
   *
   * The token is valid until it or the caller's token expires, which is minutes by Keycloak's defaults. It is NOT for
   * jobs of hours or days. Let their consumer act in its own name, and send the caller as data.
   */
  async messageHeaders(
    caller: VerifiedAccessToken,
    target: { readonly audience: string; readonly scope?: string },
  ): Promise<MessageHeaders> {
    return messageHeadersOf(await this.exchange(caller, target));
  }
}
