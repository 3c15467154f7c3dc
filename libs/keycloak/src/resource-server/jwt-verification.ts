/** JWT verification: what finds a token good by its signature, for one issuer. A door implements it. */
import type { Clock } from '../caching/clock.js';

/** What one issuer's tokens are verified with. */
export interface JwtVerificationContext {
  readonly issuer: string;
  /**
   * The key set of the issuer as it publishes it now (RFC 7517 §5): read under the module's bounds of time and size, strict JSON. What it holds was not
   * looked at. Rejects with `AuthorizationServerError`.
   */
  readonly readKeys: () => Promise<unknown>;
  readonly clock: Clock;
  readonly log: Readonly<Record<'log' | 'warn' | 'error', (message: string, fields: object) => void>>;
}

/** The claims of a JWT whose signature is that of its issuer. They are frozen, at any depth, and the same object as long as they are remembered. */
export type SignedClaims = Readonly<Record<string, unknown>>;

/** It says who signed a token, and not what the token is good for: its claims are judged by the caller, each time. */
export interface ConnectedJwtVerification {
  /** Tokens whose signature is remembered. */
  readonly size: number;
  /**
   * The claims of `token`, a compact JWS in its one spelling, at once where its signature is remembered. `hash` is its SHA-256 in hex.
   *
   * Throws or rejects with `BearerError` `invalid_token` for a signature that is none, and with `AuthorizationServerError` where that can't be told, since the issuer's
   * keys can't be had.
   */
  verify(token: string, hash: string): SignedClaims | Promise<SignedClaims>;
  /** Resolves when there are keys to verify with. Rejects with `AuthorizationServerError`. */
  ready(): Promise<void>;
}

/** For `forRoot({ jwt })`, such as `jwtVerification()` of `nestjs-keycloak-s2s/jwt`. */
export interface JwtVerification {
  /** The `alg` of tokens that are taken (RFC 7518 §3.1). */
  readonly algorithms: readonly string[];
  /** For one issuer. Sends nothing before a token is to be verified. */
  connect(context: JwtVerificationContext): ConnectedJwtVerification;
}
