export interface TestServiceCall {
  readonly service: string;
  readonly method: string;
  /** The path and query, relative to the service's base URL. */
  readonly path: string;
  /** The headers of the call except `authorization`, with names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed JSON, a string for text, a `Buffer` for other types, or undefined without a body. */
  readonly body: unknown;
  readonly grant: 'client_credentials' | 'token_exchange';
  /** The claim `sub` of the sent token. It names the application's caller, or is `service-account-<clientId>`. */
  readonly subject: string;
  /** The claim `azp`: the client id of the application. */
  readonly client: string;
  /**
   * The claim `aud` of an exchanged token; undefined for client credentials, because the realm decides their audience.
   */
  readonly audience: string | undefined;
  readonly scope: string;
}
