export interface OpenIdTokensParts {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly idToken: string;
  /**
   * The start of the token request, not the arrival of the answer: the session may end between these two times. The
   * time of a new token is on the monotonic clock, and the time of a stored token is on the store's clock.
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
