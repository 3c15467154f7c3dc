/** A call that the application under test made, with the subject, audience and scope of its token. */

export interface TestServiceCall {
  /** The name under which the service is registered. */
  readonly service: string;
  readonly method: string;
  /** Relative to the service's base URL, including the query. */
  readonly path: string;
  /** With names in lower case, without `authorization`. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON is parsed, text is a string, and other types are a `Buffer`. Undefined without a body. */
  readonly body: unknown;
  readonly grant: 'client_credentials' | 'token_exchange';
  /** `sub`: the caller on whose behalf the call is made, or `service-account-<clientId>` of the application. */
  readonly subject: string;
  /** `azp`: the application's own client id. */
  readonly client: string;
  /** `aud` of an exchanged token. Undefined for client credentials: the realm decides their audience. */
  readonly audience: string | undefined;
  readonly scope: string;
}
