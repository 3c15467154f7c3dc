/** TestTokens: the tokens that one application under test has to do with, and what they are. */
import { randomBytes } from 'node:crypto';
import { isB64Token } from '../../protocol/b64token.js';

export interface TestToken {
  readonly claims: Readonly<Record<string, unknown>>;
  /** How this application came by it; undefined when it was sent it. */
  readonly grant: 'client_credentials' | 'token-exchange' | undefined;
  /** What it can be exchanged for; undefined for anything. */
  readonly grantableScopes: readonly string[] | undefined;
}

export class TestTokens {
  readonly #tokens = new Map<string, TestToken>();
  readonly #ended = new Set<string>();

  /** The text of the new token: `given`, or one that nobody can guess. */
  add(token: TestToken, given = `test-token-${randomBytes(32).toString('base64url')}`): string {
    if (!isB64Token(given)) throw new TypeError('The text of a token must fit into an Authorization header (b64token)');
    if (this.#tokens.has(given)) throw new Error('This text is that of another token, which is signed in already');
    this.#tokens.set(given, token);
    return given;
  }

  /** A token that has not been ended; it may have expired. */
  find(text: string | null | undefined): TestToken | undefined {
    return typeof text === 'string' && !this.#ended.has(text) ? this.#tokens.get(text) : undefined;
  }

  /** False when there is no such token. */
  end(text: string): boolean {
    this.#ended.add(text);
    return this.#tokens.has(text);
  }
}

export const secondsLeft = ({ claims }: TestToken): number => Number(claims['exp']) - Math.floor(Date.now() / 1000);
