import { KnownTokens, MIN_TOKEN_LENGTH, type TokenKind } from './known-tokens.js';
import { watchPassingTokens, type TokenListener } from './passing-tokens.js';
import { PrintedLines } from './printed-lines.js';
import { ObservedText, type InspectOptions } from './observed-text.js';
import { startTokenProxy, type TokenProxy } from './token-proxy.js';
import { TokenLeakError, type TokenLeak } from './token-leak-error.js';
import { watchOutput } from './watched-output.js';

/**
 * Collects tokens, watches the output of the process, inspects given texts, and reports leaks.
 *
 * The scanner collects bearer tokens of requests to this process, and tokens received through undici. A token that
 * the scanner does not collect needs {@link TokenLeakScanner.proxyTo} or {@link TokenLeakScanner.addToken}. The scanner
 * also reports any unknown JWT. Authorization codes count as leaks only in printed output, because URLs may contain
 * codes.
 *
 * The scanner finds a whole token, its signature, and any 32 consecutive characters after its header. The text may be
 * plain, percent-encoded, escaped (JSON, HTML), base64 or base64url. Several encodings may be combined, but base64 only
 * once. The scanner does not find encrypted, compressed, hashed, hexadecimal or split tokens.
 *
 * ```ts
 * const scanner = TokenLeakScanner.start();
 * afterAll(() => {
 *   scanner.stop();
 *   scanner.assertNone();
 * });
 * ```
 *
 * The scanner keeps all observed texts in memory.
 */
export class TokenLeakScanner {
  readonly #known = new KnownTokens();
  #newTokens = new KnownTokens();
  readonly #observed: ObservedText[] = [];
  #searchedCount = 0;
  readonly #lines = { stdout: new PrintedLines('stdout'), stderr: new PrintedLines('stderr') };
  readonly #leaks = new Map<string, TokenLeak>();
  #unwatch: readonly (() => void)[] = [];
  readonly #listener: TokenListener = {
    token: (text) => this.#add(text, 'token'),
    code: (text) => this.#add(text, 'code'),
  };

  private constructor() {}

  /** Several scanners may run at the same time, and each scanner must be stopped. */
  static start(): TokenLeakScanner {
    const scanner = new TokenLeakScanner();
    scanner.#watch();
    return scanner;
  }

  /** The number of known tokens and codes; with 0, {@link TokenLeakScanner.assertNone} proves little. */
  get knownCount(): number {
    return this.#known.size;
  }

  /**
   * Adds a token, a secret or an authorization code that the scanner does not collect.
   *
   * @throws RangeError for a text of fewer than 8 characters, which would be found everywhere.
   */
  addToken(token: string, kind: TokenKind = 'token'): void {
    if (token.length < MIN_TOKEN_LENGTH)
      throw new RangeError(`A token must have at least ${MIN_TOKEN_LENGTH} characters`);
    this.#add(token, kind);
  }

  /**
   * Starts a proxy on 127.0.0.1 in front of an authorization server. Any process can use the proxy's `baseUrl`;
   * `stop()` of the scanner does not stop the proxy.
   */
  proxyTo(baseUrl: string): Promise<TokenProxy> {
    return startTokenProxy(baseUrl, this.#listener);
  }

  /**
   * Searches for tokens in a text that somebody could see. The report names the text by `where`, unless `where`
   * contains a token.
   */
  inspect(where: string, text: string | Uint8Array, options: InspectOptions = {}): void {
    // Latin-1 keeps every ASCII character of the bytes.
    const read = typeof text === 'string' ? text : Buffer.from(text).toString('latin1');
    this.#observed.push(new ObservedText(where, read, options));
  }

  /** Returns all leaks so far; a token counts once for each place. */
  leaks(): readonly TokenLeak[] {
    const unfinished = Object.values(this.#lines).map(({ unfinished: { where, text } }) => printed(where, text));
    for (const observed of unfinished) this.#search(observed);
    this.#observed.forEach((observed, at) => {
      if (at >= this.#searchedCount) this.#search(observed);
      else for (const leak of observed.knownTokens(this.#newTokens)) this.#report(leak);
    });
    this.#searchedCount = this.#observed.length;
    this.#newTokens = new KnownTokens();
    return [...this.#leaks.values()];
  }

  /** @throws TokenLeakError if there is a leak. */
  assertNone(): void {
    const leaks = this.leaks();
    if (leaks.length > 0) throw new TokenLeakError(leaks);
  }

  /** Stops watching, and keeps the tokens and texts; a second call has no effect. */
  stop(): void {
    for (const unwatch of this.#unwatch) unwatch();
    this.#unwatch = [];
  }

  #watch(): void {
    this.#unwatch = [
      watchPassingTokens(this.#listener),
      watchOutput({
        streamed: (stream, chunk) => {
          for (const { where, text } of this.#lines[stream].add(chunk)) this.#observed.push(printed(where, text));
        },
        logged: (method, text) => this.#observed.push(printed(`console.${method}`, text)),
      }),
    ];
  }

  #add(...[text, kind]: Parameters<KnownTokens['add']>): void {
    if (text.length >= MIN_TOKEN_LENGTH && this.#known.add(text, kind)) this.#newTokens.add(text, kind);
  }

  #search(observed: ObservedText): void {
    for (const leak of this.#leaksIn(observed)) this.#report(leak);
  }

  /** A later report replaces an earlier report, because the JWT or the complete line may be known by then. */
  #report(leak: TokenLeak): void {
    const isSecret = this.#leaksIn(new ObservedText('', leak.where)).length > 0;
    const where = isSecret ? 'a place whose name contains a token' : leak.where;
    this.#leaks.set(`${leak.fingerprint} ${leak.where}`, { ...leak, where });
  }

  #leaksIn(observed: ObservedText): TokenLeak[] {
    return [...observed.knownTokens(this.#known), ...observed.unknownJwts(this.#known)];
  }
}

const printed = (where: string, text: string): ObservedText => new ObservedText(where, text, { isPrinted: true });
