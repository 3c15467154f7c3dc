/** TokenRequest: the subject, the audience and the scope of a token that is needed. It has no way to forward a token. */
import { TOKEN_EXCHANGE_GRANT, CLIENT_CREDENTIALS_GRANT } from '../protocol/identifiers.js';
import { canonicalScope } from '../protocol/scope.js';
import { VerifiedAccessToken } from '../protocol/verified-access-token.js';

/** This service in its own name (RFC 6749 §4.4). In Keycloak the scope alone decides the audience. */
export interface ClientCredentialsRequest {
  /** At which issuer; undefined for this service's own. */
  readonly issuer: string | undefined;
  readonly grant: typeof CLIENT_CREDENTIALS_GRANT;
  readonly scope: string;
}

/** This service on behalf of the subject of a token it was called with (RFC 8693 §2.1). */
export interface TokenExchangeRequest {
  readonly grant: typeof TOKEN_EXCHANGE_GRANT;
  readonly subject: VerifiedAccessToken;
  readonly audience: string;
  readonly scope: string;
}

export type TokenRequest = ClientCredentialsRequest | TokenExchangeRequest;

/**
 * `scope` is a space-separated set; its order does not matter. Undefined asks for none, as in a realm that has roles only. Throws `TypeError`
 * when it is empty or malformed.
 */
export function clientCredentialsRequest(scope: string | undefined, issuer?: string): ClientCredentialsRequest {
  return { grant: CLIENT_CREDENTIALS_GRANT, issuer, scope: scope === undefined ? '' : canonicalScope(scope) };
}

/** As `clientCredentialsRequest`; an audience that is empty, or none as where a variable is not set, throws `TypeError`, too. */
export function tokenExchangeRequest(
  subject: VerifiedAccessToken,
  audience: string,
  scope: string | undefined,
): TokenExchangeRequest {
  return exchangeWithScope(subject, audience, scope === undefined ? '' : canonicalScope(scope));
}

/** As `tokenExchangeRequest`, for a canonical scope; '' for none. */
export function exchangeWithScope(subject: VerifiedAccessToken, audience: string, scope: string): TokenExchangeRequest {
  if (!(subject instanceof VerifiedAccessToken))
    throw new TypeError('A token is exchanged for a VerifiedAccessToken alone');
  // Without one the server would choose it.
  if (typeof audience !== 'string' || audience === '') throw new TypeError('A token exchange names one audience');
  return { grant: TOKEN_EXCHANGE_GRANT, subject, audience, scope };
}

/** The one key for cache and flight: all that the answer may depend on, and of the subject's token only its hash. */
export function tokenRequestKey(issuer: string, clientId: string, request: TokenRequest): string {
  const { grant, scope } = request;
  const own = `${issuer}\n${clientId}\n${grant}\n${scope}`;
  // The audience comes last, because it alone may hold any character.
  return request.grant === TOKEN_EXCHANGE_GRANT ? `${own}\n${request.subject.hash}\n${request.audience}` : own;
}
