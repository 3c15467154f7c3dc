/** TokenExchangeClient: trades the token this service was called with for one meant for the next service only. */
import type { IssuedToken } from '../protocol/issued-token.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import { messageHeadersOf, type MessageHeaders } from './message-headers.js';
import { tokenExchangeRequest } from './token-request.js';
import type { TokenSources } from './token-sources.js';

/**
 * Token exchange (RFC 8693), as Keycloak's standard token exchange does it: the subject stays, the audience becomes the
 * next service, the client becomes this one. A result is reused for the same subject token, audience and scope until
 * shortly before it or the subject token expires.
 *
 * To call a service, `ServiceClient.onBehalfOf(token, scope)` does this and the call; this is for other transports.
 */
export class TokenExchangeClient {
  constructor(private readonly tokens: Pick<TokenSources, 'get'>) {}

  /**
   * A token for `audience` (a client id in Keycloak, at the issuer of `subject`, where the exchange is made) with `scope` (a space-separated set; none in a realm that has roles only), for the
   * subject's user.
   *
   * Throws `BearerError`: `invalid_token` when the server finds the subject token no longer good or the `RevocationList`
   * denies it, `insufficient_scope` when the user may not have the scope; `AuthorizationServerError` as
   * `ClientCredentialsTokenProvider` does.
   */
  async exchange(
    subject: VerifiedAccessToken,
    target: { readonly audience: string; readonly scope?: string },
  ): Promise<IssuedToken> {
    return this.tokens.get(tokenExchangeRequest(subject, target.audience, target.scope));
  }

  /**
   * The same as headers of a message (`{ authorization: 'Bearer …' }`), so that its consumer acts for the caller: of NATS and RabbitMQ the
   * headers, of gRPC the metadata.
   *
   * The token is good until it or the caller's token ends, minutes in Keycloak's defaults, and a message that is consumed later is refused. It
   * is NOT for jobs of hours or days: have the consumer act in its own name there, and carry the caller as data.
   *
   * Throws as `exchange` does.
   */
  async messageHeaders(
    caller: VerifiedAccessToken,
    target: { readonly audience: string; readonly scope?: string },
  ): Promise<MessageHeaders> {
    return messageHeadersOf(await this.exchange(caller, target));
  }
}
