/** TokenLeakScanner: knows the tokens of a run, and finds those that showed in logs, errors, responses or addresses. */
import { KnownTokens, SHORTEST_TOKEN, type TokenKind } from './known-tokens.js';
import { watchPassingTokens, type TokenListener } from './passing-tokens.js';
import { PrintedLines } from './printed-lines.js';
import { Sight, type SightOptions } from './sight.js';
import { openTokenDoor, type TokenDoor } from './token-door.js';
import { TokenLeakError, type TokenLeak } from './token-leak-error.js';
import { watchOutput } from './watched-output.js';

/**
 * For tests that run services: collects the tokens of a run, watches what the process prints, is given what else somebody
 * could see, and tells where a token showed.
 *
 * It knows, without a way into the product: bearer tokens of requests that arrive at HTTP servers of this process; access,
 * refresh and ID tokens that it is given through undici, as the library is; what comes through the door of
 * {@link TokenLeakScanner.inFrontOf}; what {@link TokenLeakScanner.issued} is told. What has the form of a JWT is found in any
 * case. Authorization codes are looked for in what is printed only: addresses hold them by right.
 *
 * Found is the whole token, what is left of it without its signature, the signature, or any 32 characters of it in a row (the
 * header of a JWT apart, which tells nothing); as it stands, percent-encoded, escaped in JSON or HTML, in base64 or base64url
 * once, or several of these; whatever stands around it, and also when it became known later. Not found is what was encrypted,
 * compressed, hashed, written in hex or broken over lines.
 *
 * ```ts
 * const leaks = TokenLeakScanner.start();
 * afterAll(() => {
 *   leaks.stop();
 *   leaks.assertNone();
 * });
 * ```
 *
 * All that it sees is kept in memory until it is let go.
 */
export class TokenLeakScanner {
  readonly #known = new KnownTokens();
  /** Those that became known after the last look. */
  #fresh = new KnownTokens();
  readonly #sights: Sight[] = [];
  #looked = 0;
  readonly #lines = { stdout: new PrintedLines('stdout'), stderr: new PrintedLines('stderr') };
  readonly #leaks = new Map<string, TokenLeak>();
  #unwatch: readonly (() => void)[] = [];
  readonly #listener: TokenListener = {
    token: (text) => this.#learn(text, 'token'),
    code: (text) => this.#learn(text, 'code'),
  };

  private constructor() {}

  /** Watches from now on. Any number may run at a time; each is to be stopped. */
  static start(): TokenLeakScanner {
    const scanner = new TokenLeakScanner();
    scanner.#watch();
    return scanner;
  }

  /** How many tokens and codes it looks for. With none, {@link TokenLeakScanner.assertNone} says little. */
  get known(): number {
    return this.#known.size;
  }

  /**
   * A token, or another secret, that came by a way of its own; or an authorization code.
   *
   * @throws RangeError when it has less than 8 characters: it would be found everywhere.
   */
  issued(token: string, kind: TokenKind = 'token'): void {
    if (token.length < SHORTEST_TOKEN) throw new RangeError(`A token has at least ${SHORTEST_TOKEN} characters`);
    this.#learn(token, kind);
  }

  /**
   * Opens a door in front of an authorization server, on 127.0.0.1: services that reach the server at its `baseUrl`, also in
   * other processes, are given no token that is not known. It is to be stopped by itself.
   */
  inFrontOf(baseUrl: string): Promise<TokenDoor> {
    return openTokenDoor(baseUrl, this.#listener);
  }

  /**
   * Something that somebody could see: the body of a response, a header, an address, an error, what another process printed.
   * `where` is what a leak in it is reported by; it is not looked through, but not repeated either if a token is in it.
   */
  saw(where: string, text: string | Uint8Array, options: SightOptions = {}): void {
    // What is no text has its ASCII left alone.
    const read = typeof text === 'string' ? text : Buffer.from(text).toString('latin1');
    this.#sights.push(new Sight(where, read, options));
  }

  /** Every leak so far, once for each token and place. */
  found(): readonly TokenLeak[] {
    const unfinished = Object.values(this.#lines).map(({ unfinished: { where, text } }) => printed(where, text));
    for (const sight of unfinished) this.#lookAt(sight);
    this.#sights.forEach((sight, at) => {
      if (at >= this.#looked) this.#lookAt(sight);
      else for (const leak of sight.knownIn(this.#fresh)) this.#tell(leak);
    });
    this.#looked = this.#sights.length;
    this.#fresh = new KnownTokens();
    return [...this.#leaks.values()];
  }

  /** @throws TokenLeakError when there is a leak. */
  assertNone(): void {
    const leaks = this.found();
    if (leaks.length > 0) throw new TokenLeakError(leaks);
  }

  /** Watches no more. What is known and was seen stays, and more may be given. May be called again. */
  stop(): void {
    for (const unwatch of this.#unwatch) unwatch();
    this.#unwatch = [];
  }

  #watch(): void {
    this.#unwatch = [
      watchPassingTokens(this.#listener),
      watchOutput({
        streamed: (stream, chunk) => {
          for (const { where, text } of this.#lines[stream].add(chunk)) this.#sights.push(printed(where, text));
        },
        logged: (method, text) => this.#sights.push(printed(`console.${method}`, text)),
      }),
    ];
  }

  #learn(...[text, kind]: Parameters<KnownTokens['add']>): void {
    if (text.length >= SHORTEST_TOKEN && this.#known.add(text, kind)) this.#fresh.add(text, kind);
  }

  #lookAt(sight: Sight): void {
    for (const leak of [...sight.knownIn(this.#known), ...sight.unknownIn(this.#known)]) this.#tell(leak);
  }

  /** The last word on a token at a place counts: what had the form of one may be known meanwhile, or have come to its end. */
  #tell(leak: TokenLeak): void {
    const isNamed = new Sight('', leak.where);
    const hidden = [...isNamed.knownIn(this.#known), ...isNamed.unknownIn(this.#known)].length > 0;
    const where = hidden ? 'a place whose name holds a token' : leak.where;
    this.#leaks.set(`${leak.fingerprint} ${leak.where}`, { ...leak, where });
  }
}

const printed = (where: string, text: string): Sight => new Sight(where, text, { isPrinted: true });
