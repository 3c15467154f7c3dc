/** Client authentication: how this service proves to the authorization server who it is (RFC 6749 §2.3, RFC 7523 §2.2). */
import type { webcrypto } from 'node:crypto';
import type { Clock } from '../caching/clock.js';

/** What is shown to the server: a secret, an assertion that is signed for each request, or one that somebody else has signed. */
export type ClientCredential =
  | { readonly kind: 'secret'; readonly secret: string }
  | {
      readonly kind: 'private_key';
      readonly key: webcrypto.CryptoKey;
      readonly algorithm: string;
      readonly keyId: string;
    }
  | { readonly kind: 'assertion'; readonly assertion: string };

export interface ClientAuthenticationContext {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly log: Readonly<Record<'log' | 'error', (message: string, fields: object) => void>>;
}

/** For `forRoot({ clientAuthentication })`: such as `clientSecretFile()`, `clientSecretFrom()`, `privateKeyJwt()` and `clientAssertionFile()`. */
export interface ClientAuthentication {
  connect(context: ClientAuthenticationContext): ConnectedClientAuthentication;
}

export interface ConnectedClientAuthentication {
  /** The one to use now. Throws `AuthorizationServerError` (`authorization_server_unavailable`, `client_credential_unreadable`) when there is none. */
  credential(): Promise<ClientCredential>;
  /** The server has refused `refused`: whether there is another one, which is waited for for a moment. Does not throw. */
  isReplaced(refused: ClientCredential): Promise<boolean>;
}

/** A secret that stays as long as the process runs. */
export class FixedSecret implements ClientAuthentication, ConnectedClientAuthentication {
  readonly #credential: ClientCredential;

  constructor(secret: string) {
    this.#credential = { kind: 'secret', secret };
  }

  connect(): ConnectedClientAuthentication {
    return this;
  }

  async credential(): Promise<ClientCredential> {
    return this.#credential;
  }

  async isReplaced(): Promise<boolean> {
    return false;
  }
}
