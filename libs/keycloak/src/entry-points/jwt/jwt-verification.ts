import { ConfigurationError, ConfigurationFaults } from '../../index.js';
import type { ConnectedJwtVerification, JwtVerification, JwtVerificationContext } from '../extension/index.js';
import { SIGNING_ALGORITHMS } from '../jws/signing-algorithms.js';
import { SigningKeys } from '../jws/signing-keys.js';
import { JwtVerifier, type JwtVerifierOptions } from './jwt-verifier.js';

export interface JwtVerificationOptions {
  /**
   * Accepted values of `alg` (RFC 7518 §3.1). Default: all supported algorithms, which are `RS256`, `RS384`, `RS512`,
   * `PS256`, `PS384`, `PS512`, `ES256`, `ES384`, `ES512`, `EdDSA` and `Ed25519`.
   */
  readonly algorithms?: readonly string[];
  /** Maximum number of cached tokens whose signature was verified. Default 10000, 1 to 1000000. */
  readonly maxVerifiedTokens?: number;
  /**
   * The maximum key age in seconds. A key that the issuer has withdrawn may stay in use until this maximum age. The
   * service renews the keys after half to three quarters of the maximum age. Default 600, 30 to 86400.
   */
  readonly maxKeyAgeSeconds?: number;
}

/**
 * Verifies token signatures with the issuer's keys, without a call per token (for `forRoot({ jwt })`).
 *
 * A signature does NOT show revocation, a logout or a disabled user: see docs/verification.md.
 *
 * Throws `ConfigurationError` for invalid options.
 */
export function jwtVerification(options: JwtVerificationOptions = {}): JwtVerification {
  return new SignatureVerification(readOptions(options));
}

class SignatureVerification implements JwtVerification {
  readonly algorithms: readonly string[];
  readonly #options: JwtVerifierOptions;

  constructor(options: JwtVerifierOptions) {
    this.#options = options;
    this.algorithms = [...options.algorithms];
  }

  connect(context: JwtVerificationContext): ConnectedJwtVerification {
    return new JwtVerifier(context, this.#options, new SigningKeys(context, this.#options));
  }
}

function readOptions(options: JwtVerificationOptions): JwtVerifierOptions {
  const {
    algorithms = SIGNING_ALGORITHMS,
    maxVerifiedTokens = 10_000,
    maxKeyAgeSeconds = 600,
    ...others
  } = Object(options) as JwtVerificationOptions;
  const faults = new ConfigurationFaults();
  for (const other of Object.keys(others)) faults.fault(`unknown option "${other}"`);
  const isList = Array.isArray(algorithms) && algorithms.length > 0;
  if (!isList || !algorithms.every((algorithm) => SIGNING_ALGORITHMS.includes(algorithm))) {
    faults.fault(`algorithms must be a list with any of ${SIGNING_ALGORITHMS.join(', ')}`);
  }
  const read = {
    algorithms: new Set(isList ? algorithms : []),
    maxVerifiedTokens: faults.integer('maxVerifiedTokens', maxVerifiedTokens, 1, 1_000_000),
    maxKeyAgeSeconds: faults.integer('maxKeyAgeSeconds', maxKeyAgeSeconds, 30, 86_400),
  };
  faults.throwIfFaulty((all) => new ConfigurationError("jwtVerification() can't be used", all));
  return read;
}
