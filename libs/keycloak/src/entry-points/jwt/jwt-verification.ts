/** JWT verification: the settings by which tokens are verified by their signature. */
import { ConfigurationError, ConfigurationFaults } from '../../index.js';
import type { ConnectedJwtVerification, JwtVerification, JwtVerificationContext } from '../extension/index.js';
import { SIGNING_ALGORITHMS } from '../jws/signing-algorithms.js';
import { SigningKeys } from '../jws/signing-keys.js';
import { JwtVerifier, type JwtVerifierOptions } from './jwt-verifier.js';

export interface JwtVerificationOptions {
  /**
   * The `alg` of tokens that are taken (RFC 7518 §3.1). Default: `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384`, `ES512`, `EdDSA` and `Ed25519`, which is
   * all that there may be.
   */
  readonly algorithms?: readonly string[];
  /** Tokens whose signature is remembered, so that it is checked once. Default 10000, 1 to 1000000. */
  readonly maxVerifiedTokens?: number;
  /**
   * For how long the issuer's keys serve after they were read: how long a key that it withdrew may be believed, and how long tokens are verified while the keys can't be read. They
   * are renewed after half to three quarters of that. Default 600, 30 to 86400.
   */
  readonly maxKeyAgeSeconds?: number;
}

/**
 * For `forRoot({ jwt })`: the signature of a token is checked here, by the keys that its issuer publishes. No call is made for a token, and none where it is refused; keys are read
 * when they are first needed, renewed in the background, and read anew, once a second at most, for a token that names a key which is not known.
 *
 * It says who signed a token. What the issuer has learned since (revoked, logged out, disabled) is in no signature: see docs/verification.md for what that means.
 *
 * Throws `ConfigurationError`.
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
    faults.fault(`algorithms must be a list of some of ${SIGNING_ALGORITHMS.join(', ')}`);
  }
  const read = {
    algorithms: new Set(isList ? algorithms : []),
    maxVerifiedTokens: faults.integer('maxVerifiedTokens', maxVerifiedTokens, 1, 1_000_000),
    maxKeyAgeSeconds: faults.integer('maxKeyAgeSeconds', maxKeyAgeSeconds, 30, 86_400),
  };
  faults.throwIfFaulty((all) => new ConfigurationError("jwtVerification() can't be used", all));
  return read;
}
