/** ClientAuthenticator: puts this client's credentials on its requests to the authorization server, and others in their place when those are refused. */
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

/** RFC 7523 §2.2. */
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const ASSERTION_SECONDS = 60;

const SECRETS_NOTED = 3;

/** What was put on a request, and by which difference of the clocks. */
interface Used {
  readonly credential: ClientCredential;
  readonly aheadSeconds: number;
}

/**
 * For the application's own calls to the authorization server, by a library that takes a `ClientAuth` or by hand: the credentials are those of
 * `clientSecret` or `clientAuthentication`, as they are when a request is sent.
 */
export class ClientAuthenticator {
  readonly #source: ConnectedClientAuthentication;
  /** What was put on a request, by its form. */
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

  /** The last ones that were sent, which no text may show. */
  get secrets(): readonly string[] {
    return this.#secrets;
  }

  /** Now. Throws `AuthorizationServerError`. */
  async credential(): Promise<ClientCredential> {
    return this.#source.credential();
  }

  /**
   * A `ClientAuth` of openid-client and of oauth4webapi: adds `Authorization`, or `client_id` and an assertion, to one request. Throws
   * `AuthorizationServerError` (`client_credential_unreadable`).
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
   * For a request that was refused for its credentials (401): whether there are others by now. If so they are put in their place, and it may be sent once
   * more.
   */
  async replaceRefused(form: URLSearchParams, headers: Headers): Promise<boolean> {
    const refused = this.#used.get(form);
    if (refused === undefined || !(await this.#isWorthAnother(refused))) return false;
    await this.authenticate(undefined, undefined, form, headers);
    return true;
  }

  /** Sends by `send`, and once more when the credentials are refused and there are others by now. Throws what `send` does, and as `authenticate`. */
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

  /** Where it is signed by this service, its time may be what was wrong with it. */
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
      // It names this client by its `sub`. With a `client_id` Keycloak 26.4 demands that both are the same, which they seldom are.
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
          // By the name that Keycloak knows (RFC 8037), and by the server's clock, as far as it is known.
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

/** An answer by which the server says that it does not know this client by what it was shown. */
function isOfCredentials(error: unknown): boolean {
  if (error instanceof WWWAuthenticateChallengeError) return error.status === 401;
  if (!(error instanceof ResponseBodyError)) return false;
  // Keycloak says `invalid_client` of an audience that it does not know, too.
  return (
    error.status === 401 ||
    (error.error === 'invalid_client' && !/^audience not found/i.test(error.error_description ?? ''))
  );
}
