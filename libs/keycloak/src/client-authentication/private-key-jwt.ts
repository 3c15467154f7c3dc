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
   * A PEM file of private keys (PKCS #8, not encrypted): RSA of at least 2048 bits, EC P-256, P-384 or P-521, or
   * Ed25519. The first key signs; `publicKeys()` publishes all keys.
   */
  readonly keyFile: string;
  /**
   * The `kid` of the first key. Default: the thumbprint of the first key (RFC 7638). If set, replace it together with
   * the first key: the server keeps the key that it knows by this `kid`, and refuses assertions of another key.
   */
  readonly keyId?: string;
}

export interface PrivateKeyJwt extends ClientAuthentication {
  /** The public keys as a JWK Set (RFC 7517 §5). Rejects if the file can't be read. */
  publicKeys(): Promise<PublicJwks>;
}

/**
 * Authenticates with `private_key_jwt` (RFC 7523 §2.2, OpenID Connect Core §9), so no secret leaves this service. An
 * assertion is valid for at most 60 seconds. RSA keys sign with RS256, EC keys with the algorithm of their curve, and
 * Ed25519 keys with EdDSA.
 *
 * The file is reread at the same times as the file of `clientSecretFile`. To replace a key, append the new key to the
 * file. After the server has read the new key, move the new key to the first place.
 *
 * Throws `ConfigurationError` for an unreadable file, a missing private key or an unsupported key.
 */
export function privateKeyJwt(options: PrivateKeyJwtOptions): PrivateKeyJwt {
  const { keyFile, keyId, ...others } = Object(options) as PrivateKeyJwtOptions;
  const faults = new ConfigurationFaults();
  for (const other of Object.keys(others)) faults.fault(`unknown option "${other}"`);
  if (keyId !== undefined && (typeof keyId !== 'string' || keyId === '')) {
    faults.fault('keyId must be a string that is not empty');
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
