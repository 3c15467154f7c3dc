export interface OpenIdTokensParts {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly idToken: string;
  /**
   * When the service sent the request for these tokens, since the session may end before the answer arrives. It is on
   * the monotonic clock, and in a stored session on the clock of the store.
   */
  readonly askedAtMs: number;
  /** On the same clock as `askedAtMs`. */
  readonly expiresAtMs: number;
}

/** Keeps the tokens in a private field, which JSON and `util.inspect` do not show. */
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
