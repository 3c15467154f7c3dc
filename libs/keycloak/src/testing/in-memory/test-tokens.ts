import { randomBytes } from 'node:crypto';
import { testTokenChannel } from '../test-token-channel.js';
import { tokenText } from '../token-text.js';

export interface TestToken {
  readonly claims: Readonly<Record<string, unknown>>;
  /** The grant with which the application got the token; undefined for the token of a caller. */
  readonly grant: 'client_credentials' | 'token_exchange' | undefined;
  readonly grantableScopes: readonly string[] | undefined;
}

export class TestTokens {
  readonly #tokens = new Map<string, TestToken>();
  readonly #ended = new Set<string>();

  constructor(
    private readonly sign?: (claims: TestToken['claims']) => string,
    private readonly typ = 'JWT',
  ) {}

  add(token: TestToken): string {
    const text =
      this.sign?.(token.claims) ?? tokenText(randomBytes(32).toString('base64url'), this.typ, token.claims['iss']);
    this.set(text, token);
    return text;
  }

  set(text: string, token: TestToken): void {
    this.#tokens.set(text, token);
    this.#ended.delete(text);
    testTokenChannel.publish(text);
  }

  find(text: string | null | undefined): TestToken | undefined {
    return typeof text === 'string' && !this.#ended.has(text) ? this.#tokens.get(text) : undefined;
  }

  end(text: string): boolean {
    this.#ended.add(text);
    return this.#tokens.has(text);
  }
}

export const secondsLeft = ({ claims }: TestToken): number => Number(claims['exp']) - Math.floor(Date.now() / 1000);
