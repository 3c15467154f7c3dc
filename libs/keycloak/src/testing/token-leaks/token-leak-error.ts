import type { Encoding } from './text-views.js';
import type { LeakedExtent } from './known-tokens.js';

export type TokenLeakForm = `${LeakedExtent | 'unknown JWT'}${'' | `, ${Exclude<Encoding, 'plain'>}`}`;

export interface TokenLeak {
  /** The `where` of `inspect()`, or a text such as `stdout, line 12` or `console.log`. */
  readonly where: string;
  /** The token's name in the log: `token:` and the first 32 bits of the SHA-256. */
  readonly fingerprint: string;
  readonly form: TokenLeakForm;
}

export class TokenLeakError extends Error {
  constructor(readonly leaks: readonly TokenLeak[]) {
    const lines = leaks.map(({ where, fingerprint, form }) => `  - ${fingerprint} in ${where} (${form})`);
    super(`Tokens leaked:\n${lines.join('\n')}`);
    this.name = 'TokenLeakError';
  }
}
