/** TestTokens: the tokens that one application under test has to do with, and what they are. */
import { randomBytes } from 'node:crypto';
import { testTokenChannel } from '../test-token-channel.js';
import { tokenText } from '../token-text.js';

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

  /** The text of the new token, which nobody can guess. */
  add(token: TestToken): string {
    const text = tokenText(randomBytes(32).toString('base64url'));
    this.set(text, token);
    return text;
  }

  /** A token whose text is given; what was known of it is replaced. */
  set(text: string, token: TestToken): void {
    this.#tokens.set(text, token);
    this.#ended.delete(text);
    testTokenChannel.publish(text);
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
