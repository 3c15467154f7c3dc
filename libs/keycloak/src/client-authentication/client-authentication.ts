import type { webcrypto } from 'node:crypto';
import type { Clock } from '../caching/clock.js';

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

/** How this service authenticates at the authorization server (RFC 6749 §2.3, RFC 7523 §2.2). */
export interface ClientAuthentication {
  connect(context: ClientAuthenticationContext): ConnectedClientAuthentication;
}

export interface ConnectedClientAuthentication {
  /** Returns the current credential, or throws `AuthorizationServerError` (`client_credential_unreadable`). */
  credential(): Promise<ClientCredential>;
  /** Returns whether a credential other than `refused` appears within a short time, and never throws. */
  isReplaced(refused: ClientCredential): Promise<boolean>;
}

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
