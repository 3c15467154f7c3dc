/** OpenIdTokens: the tokens that Keycloak issued to Service A for a logged-in user; they are never printed. */

export interface OpenIdTokensParts {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly idToken: string;
  /** When Keycloak was asked for them, on the monotonic clock; in a session, on the clock of its store. Keycloak confirmed the session as of this time. */
  readonly askedAtMs: number;
  /** When the access token expires, on the same clock. */
  readonly expiresAtMs: number;
}

/** The tokens are in a private field, which neither JSON nor `util.inspect` shows. */
export class OpenIdTokens {
  readonly #parts: OpenIdTokensParts;

  constructor(parts: OpenIdTokensParts) {
    this.#parts = parts;
  }

  get askedAtMs(): number {
    return this.#parts.askedAtMs;
  }

  get expiresAtMs(): number {
    return this.#parts.expiresAtMs;
  }

  /** The same tokens, with their times on another clock. */
  withTimes(on: (ms: number) => number): OpenIdTokens {
    const { askedAtMs, expiresAtMs } = this.#parts;
    return new OpenIdTokens({ ...this.#parts, askedAtMs: on(askedAtMs), expiresAtMs: on(expiresAtMs) });
  }

  /** For `AccessTokenVerifier`, the refresh and the logout, and for what the demonstration presents to services; never for an answer. */
  reveal(): OpenIdTokensParts {
    return this.#parts;
  }
}
