import { TOKEN_EXCHANGE_GRANT, CLIENT_CREDENTIALS_GRANT } from '../protocol/identifiers.js';
import { canonicalScope } from '../protocol/scope.js';
import { VerifiedAccessToken } from '../protocol/verified-access-token.js';

/** A client credentials request (RFC 6749 §4.4) has no audience, because in Keycloak the scope decides the audience. */
export interface ClientCredentialsRequest {
  readonly issuer: string | undefined;
  readonly grant: typeof CLIENT_CREDENTIALS_GRANT;
  readonly scope: string;
}

export interface TokenExchangeRequest {
  readonly grant: typeof TOKEN_EXCHANGE_GRANT;
  readonly subject: VerifiedAccessToken;
  readonly audience: string;
  readonly scope: string;
}

export type TokenRequest = ClientCredentialsRequest | TokenExchangeRequest;

export function clientCredentialsRequest(scope: string | undefined, issuer?: string): ClientCredentialsRequest {
  return { grant: CLIENT_CREDENTIALS_GRANT, issuer, scope: scope === undefined ? '' : canonicalScope(scope) };
}

export function tokenExchangeRequest(
  subject: VerifiedAccessToken,
  audience: string,
  scope: string | undefined,
): TokenExchangeRequest {
  return exchangeWithScope(subject, audience, scope === undefined ? '' : canonicalScope(scope));
}

/** `scope` is in canonical form; '' requests no scope. */
export function exchangeWithScope(subject: VerifiedAccessToken, audience: string, scope: string): TokenExchangeRequest {
  if (!(subject instanceof VerifiedAccessToken)) throw new TypeError('Only a VerifiedAccessToken can be exchanged');
  // Without an audience, the server would choose the audience.
  if (typeof audience !== 'string' || audience === '') throw new TypeError('A token exchange must name one audience');
  return { grant: TOKEN_EXCHANGE_GRANT, subject, audience, scope };
}

/** The key contains the hash of the subject token, and never the token itself. */
export function tokenRequestKey(issuer: string, clientId: string, request: TokenRequest): string {
  const { grant, scope } = request;
  const own = `${issuer}\n${clientId}\n${grant}\n${scope}`;
  // The audience comes last, because only the audience may contain a line break.
  return request.grant === TOKEN_EXCHANGE_GRANT ? `${own}\n${request.subject.hash}\n${request.audience}` : own;
}
