export interface OpenIdTokensParts {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly idToken: string;
  /**
   * The start of the token request, since the session may end before the answer arrives. The clock is monotonic for a
   * new token, and the clock of the store for a stored token.
   */
  readonly askedAtMs: number;
  /** The expiry of the access token, on the clock of `askedAtMs`. */
  readonly expiresAtMs: number;
}

/** The tokens of a session, hidden from JSON and `util.inspect`. */
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

  withTimes(on: (ms: number) => number): OpenIdTokens {
    const { askedAtMs, expiresAtMs } = this.#parts;
    return new OpenIdTokens({ ...this.#parts, askedAtMs: on(askedAtMs), expiresAtMs: on(expiresAtMs) });
  }

  /** Callers must not put the tokens into an answer. */
  reveal(): OpenIdTokensParts {
    return this.#parts;
  }
}
