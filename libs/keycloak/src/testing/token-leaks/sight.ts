/** A sight: a text that somebody could see, and what of tokens is in it. */
import { fingerprint } from '../../protocol/token-hash.js';
import type { KnownTokens, LeakedExtent, Sighting } from './known-tokens.js';
import { textViews, type TextView } from './text-views.js';
import type { TokenLeak, TokenLeakForm } from './token-leak-error.js';

/** What the scanner may be told of a text. */
export interface SightOptions {
  /** It was printed: authorization codes are looked for as well, which addresses hold by right. Default false. */
  readonly isPrinted?: boolean;
  /**
   * Looks for tokens that are known, and not for what merely has the form of a JWT, nor for parts of tokens, since JWTs of one
   * session have claims in common: for the cookies that Keycloak leaves with browsers, which are JWTs and no tokens.
   * Default false.
   */
  readonly onlyKnown?: boolean;
}

/** A part of JSON in base64url, or what ends in one, before another such part. */
const HEADER = /(?<![\w-])[\w-]+(?=\.eyJ[\w-]{6})/g;
const PAYLOAD_AND_SIGNATURE = /\.eyJ[\w-]{6,}(?:\.[\w-]*)?/y;
const SHORTEST_HEADER = 'eyJ'.length + 6;

/** What counts most is told. */
const EXTENTS: readonly LeakedExtent[] = ['whole', 'without its signature', 'signature alone', 'part'];

export class Sight {
  readonly #views: readonly TextView[];

  constructor(
    private readonly where: string,
    text: string,
    private readonly options: SightOptions = {},
  ) {
    this.#views = textViews(text);
  }

  /** One leak for each token, of which the most showed, in the plainest way. */
  knownIn(tokens: KnownTokens): TokenLeak[] {
    const best = new Map<string, { view: TextView; sighting: Sighting }>();
    for (const view of this.#views) {
      for (const sighting of this.#sightings(view, tokens)) {
        const former = best.get(sighting.fingerprint);
        if (former === undefined || EXTENTS.indexOf(sighting.extent) < EXTENTS.indexOf(former.sighting.extent)) {
          best.set(sighting.fingerprint, { view, sighting });
        }
      }
    }
    return [...best.values()].map(({ view, sighting }) => this.#leak(sighting.fingerprint, sighting.extent, view));
  }

  /** What has the form of a JWT, and is none of these. */
  unknownIn(tokens: KnownTokens): TokenLeak[] {
    if (this.options.onlyKnown === true) return [];
    const leaks = new Map<string, TokenLeak>();
    for (const view of this.#views) {
      const known = [...this.#sightings(view, tokens)];
      for (const { text, index } of jwtsIn(view.text)) {
        if (known.some(({ start, end }) => start < index + text.length && index < end)) continue;
        const leak = this.#leak(fingerprint(text), 'of the form of a JWT', view);
        if (!leaks.has(leak.fingerprint)) leaks.set(leak.fingerprint, leak);
      }
    }
    return [...leaks.values()];
  }

  *#sightings(view: TextView, tokens: KnownTokens): Generator<Sighting> {
    for (const sighting of tokens.in(view.text)) {
      if (sighting.kind === 'code' && this.options.isPrinted !== true) continue;
      if (sighting.extent === 'part' && this.options.onlyKnown === true) continue;
      yield sighting;
    }
  }

  #leak(of: string, extent: LeakedExtent | 'of the form of a JWT', { encoding }: TextView): TokenLeak {
    const form: TokenLeakForm = encoding === 'plain' ? extent : `${extent}, ${encoding}`;
    return { where: this.where, fingerprint: of, form };
  }
}

/**
 * Two parts of JSON in base64url, and a signature, which may be missing. A sealed one (JWE) is none. In two steps, because one
 * expression would begin anew at each `eyJ` of a run that holds many, and read the run to its end each time.
 */
function* jwtsIn(text: string): Generator<{ readonly text: string; readonly index: number }> {
  let end = 0;
  for (const { 0: run, index: start } of text.matchAll(HEADER)) {
    const at = run.indexOf('eyJ');
    if (start < end || at < 0 || run.length - at < SHORTEST_HEADER) continue;
    PAYLOAD_AND_SIGNATURE.lastIndex = start + run.length;
    const [rest = ''] = PAYLOAD_AND_SIGNATURE.exec(text) ?? [];
    end = start + run.length + rest.length;
    yield { text: run.slice(at) + rest, index: start + at };
  }
}
