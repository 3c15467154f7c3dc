import { inspect } from 'node:util';
import { fingerprint } from './token-hash.js';

/**
 * A token from a client credentials or token exchange request. JSON, `util.inspect` and string conversion show only a
 * fingerprint.
 */
export class IssuedToken {
  readonly #text: string;
  /** The granted scopes. */
  readonly scope: readonly string[];
  /** The lifetime at the time of issue. 0 if the server did not state it. */
  readonly lifetimeSeconds: number;

  constructor(text: string, scope: readonly string[], lifetimeSeconds: number) {
    this.#text = text;
    this.scope = Object.freeze([...scope]);
    this.lifetimeSeconds = lifetimeSeconds;
    Object.freeze(this);
  }

  /**
   * Returns the token text. Anyone who holds it has access to its audience: send it only there, and keep it out of
   * logs, errors and URLs.
   */
  reveal(): string {
    return this.#text;
  }

  /** `token:` and eight hex digits. */
  get fingerprint(): string {
    return fingerprint(this.#text);
  }

  toJSON(): Readonly<Record<string, unknown>> {
    return { fingerprint: this.fingerprint, scope: this.scope, lifetimeSeconds: this.lifetimeSeconds };
  }

  toString(): string {
    return `IssuedToken(${this.fingerprint})`;
  }

  [inspect.custom](): string {
    return `IssuedToken ${inspect(this.toJSON())}`;
  }
}
