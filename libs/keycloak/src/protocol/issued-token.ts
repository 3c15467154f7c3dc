import { inspect } from 'node:util';
import { fingerprint } from './token-hash.js';

/**
 * A token that the server issued for client credentials or for an exchange. JSON, `util.inspect` and string conversion
 * show only a fingerprint.
 */
export class IssuedToken {
  readonly #text: string;
  readonly scope: readonly string[];
  /** The token's lifetime at issue, or 0 if the server did not state the lifetime. */
  readonly lifetimeSeconds: number;

  constructor(text: string, scope: readonly string[], lifetimeSeconds: number) {
    this.#text = text;
    this.scope = Object.freeze([...scope]);
    this.lifetimeSeconds = lifetimeSeconds;
    Object.freeze(this);
  }

  /** Send the text only to the token's audience, and keep it out of logs, errors and URLs. */
  reveal(): string {
    return this.#text;
  }

  /** The fingerprint of the token: `token:` and eight hex digits. */
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
