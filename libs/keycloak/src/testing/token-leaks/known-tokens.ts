import { fingerprint } from '../../protocol/token-hash.js';

/**
 * The minimum number of consecutive characters of a token that count as a leak. Characters of the header do not count,
 * since many tokens have the same header.
 */
export const MIN_PART_LENGTH = 32;
/** The minimum length of a secret, because a shorter secret would occur in any text by chance. */
export const MIN_TOKEN_LENGTH = 8;

export type TokenKind = 'token' | 'code';

export type LeakedExtent = 'whole' | 'without its signature' | 'signature alone' | 'part';

export interface TokenMatch {
  readonly kind: TokenKind;
  readonly fingerprint: string;
  readonly extent: LeakedExtent;
  readonly start: number;
  readonly end: number;
}

interface KnownToken {
  readonly kind: TokenKind;
  readonly text: string;
  readonly fingerprint: string;
  readonly secretFrom: number;
  readonly signatureFrom: number;
}

interface Owner {
  readonly token: KnownToken;
  readonly at: number;
}

/** Any {@link MIN_PART_LENGTH} characters of a secret contain an indexed piece. */
const GRAM = 16;
const STRIDE = MIN_PART_LENGTH - GRAM + 1;
/** Many tokens of one user contain the same piece, so the index keeps at most 8 tokens for each indexed piece. */
const MAX_OWNERS = 8;

/** The characters of a bearer token (RFC 6750 §2.1). */
const RUN = new RegExp(`[\\w.~+/=-]{${MIN_PART_LENGTH},}`, 'g');
const IS_RUN = /^[\w.~+/=-]+$/;

/** Indexes pieces of all tokens, so that the search time hardly depends on the number of tokens. */
export class KnownTokens {
  readonly #tokens = new Map<string, KnownToken>();
  readonly #grams = new Map<string, Owner[]>();
  readonly #oneByOne: KnownToken[] = [];

  get size(): number {
    return this.#tokens.size;
  }

  add(text: string, kind: TokenKind): boolean {
    if (this.#tokens.has(text)) return false;
    const token = knownToken(text, kind);
    this.#tokens.set(text, token);
    const secret = text.slice(token.secretFrom);
    if (kind === 'code' || secret.length < MIN_PART_LENGTH || !IS_RUN.test(secret)) this.#oneByOne.push(token);
    else this.#index(token);
    return true;
  }

  #index(token: KnownToken): void {
    for (let at = token.secretFrom; at + GRAM <= token.text.length; at += STRIDE) {
      const gram = token.text.slice(at, at + GRAM);
      const owners = this.#grams.get(gram);
      if (owners === undefined) this.#grams.set(gram, [{ token, at }]);
      else if (owners.length < MAX_OWNERS) owners.push({ token, at });
    }
  }

  *in(text: string): Generator<TokenMatch> {
    for (const token of this.#oneByOne) {
      const secret = token.text.slice(token.secretFrom);
      for (let at = text.indexOf(secret); at >= 0; at = text.indexOf(secret, at + 1)) {
        yield matchAt(text, at, { token, at: token.secretFrom });
      }
    }
    if (this.#grams.size === 0) return;
    for (const { 0: run, index } of text.matchAll(RUN)) yield* withoutContained([...this.#inRun(run, index)]);
  }

  *#inRun(run: string, offset: number): Generator<TokenMatch> {
    let reportedTo = 0;
    for (let at = 0; at + GRAM <= run.length; at += 1) {
      const owners = this.#grams.get(run.slice(at, at + GRAM));
      if (owners === undefined) continue;
      const best = owners
        .map((owner) => ({ owner, ...matchAt(run, at, owner) }))
        .reduce((one, other) => (other.end - other.start > one.end - one.start ? other : one));
      const { owner, ...match } = best;
      const beforeSecret = Math.max(0, owner.token.secretFrom - (owner.at - (at - match.start)));
      if (match.end - match.start - beforeSecret < MIN_PART_LENGTH || match.end <= reportedTo) continue;
      reportedTo = match.end;
      yield { ...match, start: offset + match.start, end: offset + match.end };
    }
  }
}

/**
 * Tokens of one user share claims, so several tokens may match at one place. The longest match is the token in the
 * text.
 */
function withoutContained(matches: readonly TokenMatch[]): readonly TokenMatch[] {
  const isIn = (one: TokenMatch, other: TokenMatch): boolean =>
    one !== other && other.start <= one.start && one.end <= other.end && other.end - other.start > one.end - one.start;
  return matches.length < 2 ? matches : matches.filter((one) => !matches.some((other) => isIn(one, other)));
}

function knownToken(text: string, kind: TokenKind): KnownToken {
  const parts = text.split('.');
  // If fewer than `MIN_TOKEN_LENGTH` characters follow the header, the whole token is the secret.
  const isSerialized =
    text.startsWith('eyJ') && parts.length > 1 && text.length - text.indexOf('.') - 1 >= MIN_TOKEN_LENGTH;
  return {
    kind,
    text,
    fingerprint: fingerprint(text),
    secretFrom: isSerialized ? text.indexOf('.') + 1 : 0,
    signatureFrom: isSerialized && parts.length === 3 ? text.lastIndexOf('.') + 1 : text.length,
  };
}

function matchAt(text: string, place: number, { token, at }: Owner): TokenMatch {
  let [start, from] = [place, at];
  while (start > 0 && from > 0 && text[start - 1] === token.text[from - 1]) [start, from] = [start - 1, from - 1];
  let [end, to] = [place, at];
  while (to < token.text.length && text[end] === token.text[to]) [end, to] = [end + 1, to + 1];
  return { kind: token.kind, fingerprint: token.fingerprint, extent: extentOf(token, from, to), start, end };
}

function extentOf({ text, secretFrom, signatureFrom }: KnownToken, from: number, to: number): LeakedExtent {
  if (from === 0 && to === text.length) return 'whole';
  if (from <= secretFrom && to >= signatureFrom - 1) return to === text.length ? 'whole' : 'without its signature';
  return from >= signatureFrom - 1 && to === text.length ? 'signature alone' : 'part';
}
