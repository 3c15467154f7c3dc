import { fingerprint } from '../../protocol/token-hash.js';
import type { KnownTokens, LeakedExtent, TokenMatch } from './known-tokens.js';
import { textViews, type TextView } from './text-views.js';
import type { TokenLeak, TokenLeakForm } from './token-leak-error.js';

export interface InspectOptions {
  /** Whether the text was printed; authorization codes in printed text also count as leaks. */
  readonly isPrinted?: boolean;
  /** Whether to ignore unknown JWTs and parts of tokens, because Keycloak's cookies contain other JWTs. */
  readonly onlyKnown?: boolean;
}

/** The beginning of a JSON part in base64url: `{"`, or a brace before white space. */
const BEGIN = 'e(?:y[JA]|w[0ko])';
const JSON_PART = new RegExp(BEGIN);

const HEADER = new RegExp(`(?<![\\w-])[\\w-]+(?=\\.${BEGIN}[\\w-]{6})`, 'g');
const PAYLOAD_AND_SIGNATURE = new RegExp(`\\.${BEGIN}[\\w-]{6,}(?:\\.[\\w-]*)?`, 'y');
const MIN_HEADER_LENGTH = 'eyJ'.length + 6;

/** The extents of a leak, beginning with the most serious. Only the most serious match of each token is reported. */
const EXTENTS: readonly LeakedExtent[] = ['whole', 'without its signature', 'signature alone', 'part'];

export class ObservedText {
  readonly #views: readonly TextView[];

  constructor(
    private readonly where: string,
    text: string,
    private readonly options: InspectOptions = {},
  ) {
    this.#views = textViews(text);
  }

  knownTokens(tokens: KnownTokens): TokenLeak[] {
    const best = new Map<string, { view: TextView; match: TokenMatch }>();
    for (const view of this.#views) {
      for (const match of this.#matches(view, tokens)) {
        const former = best.get(match.fingerprint);
        if (former === undefined || EXTENTS.indexOf(match.extent) < EXTENTS.indexOf(former.match.extent)) {
          best.set(match.fingerprint, { view, match });
        }
      }
    }
    return [...best.values()].map(({ view, match }) => this.#leak(match.fingerprint, match.extent, view));
  }

  unknownJwts(tokens: KnownTokens): TokenLeak[] {
    if (this.options.onlyKnown === true) return [];
    const leaks = new Map<string, TokenLeak>();
    for (const view of this.#views) {
      const known = [...this.#matches(view, tokens)];
      for (const { text, index } of jwtsIn(view.text)) {
        if (known.some(({ start, end }) => start < index + text.length && index < end)) continue;
        const leak = this.#leak(fingerprint(text), 'unknown JWT', view);
        if (!leaks.has(leak.fingerprint)) leaks.set(leak.fingerprint, leak);
      }
    }
    return [...leaks.values()];
  }

  *#matches(view: TextView, tokens: KnownTokens): Generator<TokenMatch> {
    for (const match of tokens.in(view.text)) {
      if (match.kind === 'code' && this.options.isPrinted !== true) continue;
      if (match.extent === 'part' && this.options.onlyKnown === true) continue;
      yield match;
    }
  }

  #leak(of: string, extent: LeakedExtent | 'unknown JWT', { encoding }: TextView): TokenLeak {
    const form: TokenLeakForm = encoding === 'plain' ? extent : `${extent}, ${encoding}`;
    return { where: this.where, fingerprint: of, form };
  }
}

/**
 * An encrypted JWT (JWE) does not match. The search has two steps, because a single regular expression would take
 * quadratic time.
 */
function* jwtsIn(text: string): Generator<{ readonly text: string; readonly index: number }> {
  let end = 0;
  for (const { 0: run, index: start } of text.matchAll(HEADER)) {
    const at = run.search(JSON_PART);
    if (start < end || at < 0 || run.length - at < MIN_HEADER_LENGTH) continue;
    PAYLOAD_AND_SIGNATURE.lastIndex = start + run.length;
    const [rest = ''] = PAYLOAD_AND_SIGNATURE.exec(text) ?? [];
    end = start + run.length + rest.length;
    yield { text: run.slice(at) + rest, index: start + at };
  }
}
