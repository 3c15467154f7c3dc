/** OpenIdTokens: what Keycloak issued to Service A for a user who logged in; none of it is printed. */

export interface OpenIdTokensParts {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly idToken: string;
  /** When Keycloak was asked for them, on the monotonic clock: so far it called the session good. */
  readonly askedAtMs: number;
  /** When the access token ends, on the same clock. */
  readonly expiresAtMs: number;
}

/** Private fields: neither JSON nor `util.inspect` shows them. */
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

  /** For `AccessTokenVerifier`, the refresh and the logout: never for an answer. */
  reveal(): OpenIdTokensParts {
    return this.#parts;
  }
}
