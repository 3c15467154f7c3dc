export interface TestServiceCall {
  /** The name under which the service is registered. */
  readonly service: string;
  readonly method: string;
  /** The path and query, relative to the service's base URL. */
  readonly path: string;
  /** The headers of the call except `authorization`, with names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed JSON, a string for text, a `Buffer` for other types, undefined for none. */
  readonly body: unknown;
  readonly grant: 'client_credentials' | 'token_exchange';
  /** The claim `sub`: the application's caller, or its own `service-account-<clientId>`. */
  readonly subject: string;
  /** The claim `azp`: the client id of the application. */
  readonly client: string;
  /** `aud` of an exchanged token; undefined for client credentials, whose audience the realm decides. */
  readonly audience: string | undefined;
  readonly scope: string;
}
