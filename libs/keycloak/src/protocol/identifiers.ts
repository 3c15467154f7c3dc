/** The fixed names that the specifications give: grant types, token types, token use. */

/** RFC 6749 §4.4.2. */
export const CLIENT_CREDENTIALS_GRANT = 'client_credentials';

/** RFC 8693 §2.1. */
export const TOKEN_EXCHANGE_GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** RFC 8693 §3: the only token type that this library asks for or accepts. */
export const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token';

/** The `typ` claim by which Keycloak tells an access token from an ID, refresh or logout token. */
export const KEYCLOAK_ACCESS_TOKEN_TYP = 'Bearer';
