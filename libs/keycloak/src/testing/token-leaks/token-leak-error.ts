import type { Encoding } from './text-views.js';
import type { LeakedExtent } from './known-tokens.js';

/** The visible part of the token, and the encoding of this part: escaped (percent, JSON, HTML) or base64. */
export type TokenLeakForm = `${LeakedExtent | 'unknown JWT'}${'' | `, ${Exclude<Encoding, 'plain'>}`}`;

export interface TokenLeak {
  /** The place of the leak: the `where` of `inspect()`, or a text such as `stdout, line 12` or `console.log`. */
  readonly where: string;
  /** The name of the token in the library's log lines: `token:` and the first 32 bits of its SHA-256. */
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
