/** TestServiceCall: a call that the application under test made, with what its token says: for whom, and for what. */

export interface TestServiceCall {
  /** The name that the service was registered with. */
  readonly service: string;
  readonly method: string;
  /** Below the service's base URL, with its query. */
  readonly path: string;
  /** Names in lower case; without `authorization`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Read as JSON; undefined for none. */
  readonly body: unknown;
  readonly grant: 'client_credentials' | 'token-exchange';
  /** `sub`: the caller on whose behalf, or the application's own `service-account-<clientId>`. */
  readonly subject: string;
  /** `azp`: the application's own client id. */
  readonly client: string;
  /** `aud` of an exchanged token. Undefined with client credentials, whose audience the realm decides. */
  readonly audience: string | undefined;
  readonly scope: string;
}
