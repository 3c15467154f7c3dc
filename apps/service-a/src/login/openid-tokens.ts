export interface OpenIdTokensParts {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly idToken: string;
  /** When Keycloak confirmed the session: on the monotonic clock, or in a session on the clock of its store. */
  readonly askedAtMs: number;
  /** On the same clock. */
  readonly expiresAtMs: number;
}

/** A private field is shown neither by JSON nor by `util.inspect`. */
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

  /** Callers must not put these into an answer. */
  reveal(): OpenIdTokensParts {
    return this.#parts;
  }
}
