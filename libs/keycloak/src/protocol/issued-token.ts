/** IssuedToken: an access token that the authorization server issued to this service. */
import { inspect } from 'node:util';
import { fingerprint } from './token-hash.js';

/**
 * A token of ours, from client credentials or token exchange. JSON, `util.inspect` and string conversion show a
 * fingerprint; the text comes only from `reveal()`.
 */
export class IssuedToken {
  readonly #text: string;
  /** The granted scope tokens. */
  readonly scope: readonly string[];
  /** Seconds that the token had to live when it was issued; 0 when the server did not say. */
  readonly lifetimeSeconds: number;

  constructor(text: string, scope: readonly string[], lifetimeSeconds: number) {
    this.#text = text;
    this.scope = Object.freeze([...scope]);
    this.lifetimeSeconds = lifetimeSeconds;
    Object.freeze(this);
  }

  /**
   * The token itself, for a transport that `ServiceClient` does not cover. It opens its audience to every holder:
   * send it there only, and keep it out of logs, errors and URLs.
   */
  reveal(): string {
    return this.#text;
  }

  /** Eight hex digits that stand for the token in logs and pages. */
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
