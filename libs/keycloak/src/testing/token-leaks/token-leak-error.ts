/** TokenLeakError: lists where tokens showed, and says no more of a token than its fingerprint. */
import type { Encoding } from './text-views.js';
import type { LeakedExtent } from './known-tokens.js';

/** How much of it showed, and whether it was escaped (percent, JSON, HTML) or in base64. */
export type TokenLeakForm = `${LeakedExtent | 'of the form of a JWT'}${'' | `, ${Exclude<Encoding, 'plain'>}`}`;

/** One token at one place. */
export interface TokenLeak {
  /** What `saw()` was told, `stdout, line 12`, or `console.log`. */
  readonly where: string;
  /** What the library's own log lines call the token: `token:` and the first 32 bits of its SHA-256. */
  readonly fingerprint: string;
  readonly form: TokenLeakForm;
}

/** Thrown by `assertNone()`. */
export class TokenLeakError extends Error {
  constructor(readonly leaks: readonly TokenLeak[]) {
    const lines = leaks.map(({ where, fingerprint, form }) => `  - ${fingerprint} in ${where} (${form})`);
    super(`Tokens showed where nobody must see them:\n${lines.join('\n')}`);
    this.name = 'TokenLeakError';
  }
}
