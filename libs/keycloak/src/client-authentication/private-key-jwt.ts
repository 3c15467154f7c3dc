/** Private key JWT: an assertion of its own for each request, signed by a key that nobody else has (RFC 7523 §2.2, OpenID Connect Core §9). */
import { ConfigurationError, ConfigurationFaults } from '../protocol/configuration-faults.js';
import type {
  ClientAuthentication,
  ClientAuthenticationContext,
  ConnectedClientAuthentication,
} from './client-authentication.js';
import { checkCredentialFile, credentialReader, FILE_REFRESH_MS, FILE_TIMEOUT_MS } from './credential-file.js';
import { RenewableCredential } from './renewable-credential.js';
import { faultOfKeys, publicJwks, signingCredential, type PublicJwks } from './signing-keys.js';

export interface PrivateKeyJwtOptions {
  /**
   * A PEM file of one or more private keys (PKCS #8, not encrypted): RSA of at least 2048 bits, EC P-256, P-384 or P-521, or Ed25519. The first signs; all are published by
   * `publicKeys()`, so that the server knows a key before it is used.
   */
  readonly keyFile: string;
  /** `kid` of the first key. Default: its thumbprint (RFC 7638). */
  readonly keyId?: string;
}

export interface PrivateKeyJwt extends ClientAuthentication {
  /** The public keys as a JWK Set (RFC 7517 §5), for a route that the server reads (`jwks_uri`), or to be entered there. Throws when the file can't be read. */
  publicKeys(): Promise<PublicJwks>;
}

/**
 * `private_key_jwt`: no secret leaves this service. Each request has an assertion with a `jti` of its own, `iss` and `sub` the client, `aud` the realm's issuer, and at most 60 seconds
 * to live. RSA keys sign by RS256, EC keys by the algorithm of their curve, Ed25519 by EdDSA.
 *
 * The file is read, and read again, as `clientSecretFile` does. To replace a key, append the new one, wait until the server has read it, put it first, and leave the
 * old one out later.
 *
 * Throws `ConfigurationError` for a file that can't be read, or holds anything but such keys.
 */
export function privateKeyJwt(options: PrivateKeyJwtOptions): PrivateKeyJwt {
  const { keyFile, keyId, ...others } = Object(options) as PrivateKeyJwtOptions;
  const faults = new ConfigurationFaults();
  for (const other of Object.keys(others)) faults.fault(`unknown option "${other}"`);
  if (keyId !== undefined && (typeof keyId !== 'string' || keyId === '')) {
    faults.fault('keyId must be a text, and not empty');
  }
  faults.throwIfFaulty((all) => new ConfigurationError("privateKeyJwt can't be used", all));
  const file = checkCredentialFile('privateKeyJwt', keyFile, faultOfKeys);
  return new KeyFile(file, keyId);
}

class KeyFile implements PrivateKeyJwt {
  readonly #read: () => Promise<string>;
  readonly #keyId: string | undefined;

  constructor(path: string, keyId: string | undefined) {
    this.#read = credentialReader(path);
    this.#keyId = keyId;
  }

  connect(context: ClientAuthenticationContext): ConnectedClientAuthentication {
    return new RenewableCredential(
      {
        read: this.#read,
        parse: (text) => signingCredential(text, this.#keyId),
        refreshMs: FILE_REFRESH_MS,
        timeoutMs: FILE_TIMEOUT_MS,
      },
      context,
    );
  }

  async publicKeys(): Promise<PublicJwks> {
    return publicJwks(await this.#read(), this.#keyId);
  }
}
