/** A call that the application under test made, with the subject, audience and scope of its token. */

export interface TestServiceCall {
  /** The name under which the service is registered. */
  readonly service: string;
  readonly method: string;
  /** The path and query, relative to the service's base URL. */
  readonly path: string;
  /** The headers of the call except `authorization`, with names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * The body: a parsed value for JSON, a string for text, a `Buffer` for other types, and undefined if the call has no
   * body.
   */
  readonly body: unknown;
  readonly grant: 'client_credentials' | 'token_exchange';
  /**
   * The claim `sub`: the caller on whose behalf the call is made, or `service-account-<clientId>` of the application.
   */
  readonly subject: string;
  /** The claim `azp`: the client id of the application. */
  readonly client: string;
  /**
   * The claim `aud` of an exchanged token; undefined for client credentials, since the realm decides their audience.
   */
  readonly audience: string | undefined;
  readonly scope: string;
}
