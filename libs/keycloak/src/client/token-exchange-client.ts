import type { IssuedToken } from '../protocol/issued-token.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import { messageHeadersOf, type MessageHeaders } from './message-headers.js';
import { tokenExchangeRequest } from './token-request.js';
import type { TokenSources } from './token-sources.js';

/**
 * Exchanges tokens (RFC 8693) for transports such as NATS or gRPC; for HTTP, use
 * `ServiceClient.onBehalfOf(token, scope)`. An exchanged token names the same subject, and names this service as the
 * client. The token is reused for this subject token, audience and scope until shortly before either token expires.
 */
export class TokenExchangeClient {
  constructor(private readonly tokens: Pick<TokenSources, 'get'>) {}

  /**
   * Returns a token for `audience` with the space-separated `scope`, on behalf of the subject. In Keycloak the audience
   * is a client id at the issuer of `subject`. Leave `scope` out in a realm that only has roles.
   *
   * Throws `BearerError` `invalid_token` if the server or the `RevocationList` no longer accepts the subject token.
   * Throws `BearerError` `insufficient_scope` if the subject may not have the scope. Throws
   * `AuthorizationServerError` for the same reasons as `ClientCredentialsTokenProvider`.
   */
  async exchange(
    subject: VerifiedAccessToken,
    target: { readonly audience: string; readonly scope?: string },
  ): Promise<IssuedToken> {
    return this.tokens.get(tokenExchangeRequest(subject, target.audience, target.scope));
  }

  /**
   * Returns the token of `exchange` as `{ authorization: 'Bearer …' }`, for message headers or gRPC metadata. Throws
   * the same errors as `exchange`. The token is usually valid for minutes, so do NOT use it for longer jobs.
   */
  async messageHeaders(
    caller: VerifiedAccessToken,
    target: { readonly audience: string; readonly scope?: string },
  ): Promise<MessageHeaders> {
    return messageHeadersOf(await this.exchange(caller, target));
  }
}
