import type { Clock } from '../caching/clock.js';

export interface JwtVerificationContext {
  readonly issuer: string;
  /**
   * Fetches the issuer's current keys (RFC 7517 §5) as strict JSON, within the module's limits. The content of the key
   * set is not checked. Rejects with `AuthorizationServerError`.
   */
  readonly readKeys: () => Promise<unknown>;
  readonly clock: Clock;
  readonly log: Readonly<Record<'log' | 'warn' | 'error', (message: string, fields: object) => void>>;
}

/**
 * The claims of a JWT with a valid signature. While the claims are cached, the same deeply frozen object is returned.
 */
export type SignedClaims = Readonly<Record<string, unknown>>;

/** Verifies the issuer's signature; the caller of `verify` checks the claims each time. */
export interface ConnectedJwtVerification {
  /** The number of tokens whose verified signature is cached. */
  readonly size: number;
  /**
   * Returns the claims of `token`, a compact JWS in canonical form. The result is synchronous if the signature of
   * `token` is cached. `hash` is the SHA-256 of `token` in hex.
   *
   * Throws or rejects with `BearerError` `invalid_token` for an invalid signature. Throws or rejects with
   * `AuthorizationServerError` if the keys of the issuer are unavailable.
   */
  verify(token: string, hash: string): SignedClaims | Promise<SignedClaims>;
  /** Resolves when the keys are available, or rejects with `AuthorizationServerError`. */
  ready(): Promise<void>;
}

/** The value of the option `jwt` of `forRoot()`, which `jwtVerification()` of `nestjs-keycloak-s2s/jwt` returns. */
export interface JwtVerification {
  /** The accepted values of `alg` (RFC 7518 §3.1). */
  readonly algorithms: readonly string[];
  /** The module calls `connect` once for each issuer. `connect` sends no request before the first token is verified. */
  connect(context: JwtVerificationContext): ConnectedJwtVerification;
}
