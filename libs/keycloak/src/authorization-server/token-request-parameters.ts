/** Token request parameters: what the token endpoint is sent, in the specifications' own names. */
import type { CLIENT_CREDENTIALS_GRANT, TOKEN_EXCHANGE_GRANT } from '../protocol/identifiers.js';

/** RFC 6749 §4.4.2. */
export interface ClientCredentialsParameters {
  readonly grant_type: typeof CLIENT_CREDENTIALS_GRANT;
  readonly scope: string;
}

/** RFC 8693 §2.1; always an access token for an access token, for one audience. */
export interface TokenExchangeParameters {
  readonly grant_type: typeof TOKEN_EXCHANGE_GRANT;
  readonly subject_token: string;
  readonly audience: string;
  readonly scope: string;
}

export type TokenRequestParameters = ClientCredentialsParameters | TokenExchangeParameters;
