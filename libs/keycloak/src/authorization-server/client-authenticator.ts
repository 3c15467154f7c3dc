import {
  ClientSecretBasic,
  modifyAssertion,
  PrivateKeyJwt,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
  type ClientAuth,
} from 'oauth4webapi';
import type { Clock } from '../caching/clock.js';
import type {
  ClientCredential,
  ConnectedClientAuthentication,
} from '../client-authentication/client-authentication.js';
import type { ClockSkew } from './clock-skew.js';

export interface AuthenticatedClient {
  readonly issuer: string;
  readonly clientId: string;
}

/** The type of a client assertion (RFC 7523 §2.2). */
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const ASSERTION_SECONDS = 60;

const SECRETS_NOTED = 3;

interface Used {
  readonly credential: ClientCredential;
  readonly aheadSeconds: number;
}

/** Authenticates the application's own calls to the authorization server with the current credentials. */
export class ClientAuthenticator {
  readonly #source: ConnectedClientAuthentication;
  readonly #used = new WeakMap<URLSearchParams, Used>();
  readonly #secrets: string[] = [];

  constructor(
    source: ConnectedClientAuthentication,
    private readonly self: AuthenticatedClient,
    private readonly clock: Pick<Clock, 'epochSeconds'>,
    private readonly clockSkew: Pick<ClockSkew, 'measured' | 'doubt'>,
  ) {
    this.#source = source;
  }

  /** The most recently sent secrets, which must not appear in logs or errors. */
  get secrets(): readonly string[] {
    return this.#secrets;
  }

  /** @throws {AuthorizationServerError} `client_credential_unreadable` */
  async credential(): Promise<ClientCredential> {
    return this.#source.credential();
  }

  /**
   * A `ClientAuth` for openid-client and oauth4webapi.
   *
   * @throws {AuthorizationServerError} `client_credential_unreadable`
   */
  readonly authenticate = async (
    _server: unknown,
    _client: unknown,
    form: URLSearchParams,
    headers: Headers,
  ): Promise<void> => {
    await this.#apply(await this.#source.credential(), form, headers);
  };

  /**
   * Replaces credentials that were refused with 401, or corrects the time of the assertion. Returns whether the request
   * may be repeated.
   */
  async replaceRefused(form: URLSearchParams, headers: Headers): Promise<boolean> {
    const refused = this.#used.get(form);
    if (refused === undefined || !(await this.#isWorthAnother(refused))) return false;
    await this.authenticate(undefined, undefined, form, headers);
    return true;
  }

  /** Repeats a refused `send` once if new credentials or a corrected clock skew are available. */
  async run<T>(send: (authentication: ClientAuth) => Promise<T>): Promise<T> {
    const credential = await this.#source.credential();
    const used: Used = { credential, aheadSeconds: this.#aheadSeconds };
    try {
      return await send(this.#with(credential));
    } catch (error) {
      if (!isOfCredentials(error) || !(await this.#isWorthAnother(used))) throw error;
      return send(this.#with(await this.#source.credential()));
    }
  }

  /** The server may have refused a signed assertion only because of its timestamps. */
  async #isWorthAnother({ credential, aheadSeconds }: Used): Promise<boolean> {
    return (
      (credential.kind === 'private_key' && this.clockSkew.doubt(aheadSeconds)) || this.#source.isReplaced(credential)
    );
  }

  get #aheadSeconds(): number {
    return this.clockSkew.measured?.aheadSeconds ?? 0;
  }

  #with(credential: ClientCredential): ClientAuth {
    return async (_server, _client, form, headers) => this.#apply(credential, form, headers);
  }

  async #apply(credential: ClientCredential, form: URLSearchParams, headers: Headers): Promise<void> {
    this.#used.set(form, { credential, aheadSeconds: this.#aheadSeconds });
    this.#note(credential);
    const { issuer, clientId } = this.self;
    if (credential.kind === 'assertion') {
      // Keycloak 26.4 refuses a `client_id` that differs from the assertion's `sub`.
      headers.delete('authorization');
      form.delete('client_id');
      form.set('client_assertion_type', ASSERTION_TYPE);
      form.set('client_assertion', credential.assertion);
      return;
    }
    const authenticate =
      credential.kind === 'secret' ? ClientSecretBasic(credential.secret) : this.#signing(credential);
    await authenticate({ issuer }, { client_id: clientId }, form, headers);
  }

  #note(credential: ClientCredential): void {
    if (credential.kind === 'private_key') return;
    const secret = credential.kind === 'secret' ? credential.secret : credential.assertion;
    if (this.#secrets.at(-1) !== secret) this.#secrets.push(secret);
    if (this.#secrets.length > SECRETS_NOTED) this.#secrets.shift();
  }

  #signing({ key, keyId: kid, algorithm }: Extract<ClientCredential, { kind: 'private_key' }>): ClientAuth {
    return PrivateKeyJwt(
      { key, kid },
      {
        [modifyAssertion]: (header, payload) => {
          // Sets the `alg` name that Keycloak supports, such as `EdDSA` (RFC 8037).
          header['alg'] = algorithm;
          const now = Math.floor(this.clock.epochSeconds() - this.#aheadSeconds);
          payload['iat'] = now;
          payload['exp'] = now + ASSERTION_SECONDS;
          delete payload['nbf'];
        },
      },
    );
  }
}

function isOfCredentials(error: unknown): boolean {
  if (error instanceof WWWAuthenticateChallengeError) return error.status === 401;
  if (!(error instanceof ResponseBodyError)) return false;
  // Keycloak also answers `invalid_client` for an unknown audience.
  return (
    error.status === 401 ||
    (error.error === 'invalid_client' && !/^audience not found/i.test(error.error_description ?? ''))
  );
}
