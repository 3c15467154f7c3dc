/** KnownTokens: what is looked for, and where in a text it stands: whole, without its signature, or any part of some length. */
import { fingerprint } from '../../protocol/token-hash.js';

/** This many characters of a token in a row give it away, wherever in it they are; its header apart, which many have. */
export const SHORTEST_PART = 32;
/** What is shorter stands by chance in any text. */
export const SHORTEST_TOKEN = 8;

/** An authorization code is in addresses by right; only what is printed must not hold it. */
export type TokenKind = 'token' | 'code';

/** How much of a token showed. */
export type LeakedExtent = 'whole' | 'without its signature' | 'signature alone' | 'part';

/** From `start` up to `end`, this text is of that token. */
export interface Sighting {
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
  /** Where its header ends, which is no secret. */
  readonly secretFrom: number;
  /** Where its signature begins, or its end. */
  readonly signatureFrom: number;
}

interface Owner {
  readonly token: KnownToken;
  readonly at: number;
}

/** Any run of {@link SHORTEST_PART} holds one gram that begins at a multiple of the stride. */
const GRAM = 16;
const STRIDE = SHORTEST_PART - GRAM + 1;
/** Tokens of one user share claims, and so grams; the owner that fits best is chosen of this many. */
const MOST_OWNERS = 8;

/** The characters of a token (RFC 6750 §2.1). */
const RUN = new RegExp(`[\\w.~+/=-]{${SHORTEST_PART},}`, 'g');
const IS_RUN = /^[\w.~+/=-]+$/;

/**
 * The cost of a search grows with the text, and hardly with the number of tokens: long runs of characters are looked up in an
 * index of pieces. Only codes, and what is short or has other characters, is looked for one by one.
 */
export class KnownTokens {
  readonly #tokens = new Map<string, KnownToken>();
  readonly #grams = new Map<string, Owner[]>();
  readonly #oneByOne: KnownToken[] = [];

  get size(): number {
    return this.#tokens.size;
  }

  /** False when it was known. */
  add(text: string, kind: TokenKind): boolean {
    if (this.#tokens.has(text)) return false;
    const token = knownToken(text, kind);
    this.#tokens.set(text, token);
    const secret = text.slice(token.secretFrom);
    if (kind === 'code' || secret.length < SHORTEST_PART || !IS_RUN.test(secret)) this.#oneByOne.push(token);
    else this.#index(token);
    return true;
  }

  #index(token: KnownToken): void {
    for (let at = token.secretFrom; at + GRAM <= token.text.length; at += STRIDE) {
      const gram = token.text.slice(at, at + GRAM);
      const owners = this.#grams.get(gram);
      if (owners === undefined) this.#grams.set(gram, [{ token, at }]);
      else if (owners.length < MOST_OWNERS) owners.push({ token, at });
    }
  }

  *in(text: string): Generator<Sighting> {
    for (const token of this.#oneByOne) {
      const secret = token.text.slice(token.secretFrom);
      for (let at = text.indexOf(secret); at >= 0; at = text.indexOf(secret, at + 1)) {
        yield sighting(text, at, { token, at: token.secretFrom });
      }
    }
    if (this.#grams.size === 0) return;
    for (const { 0: run, index } of text.matchAll(RUN)) yield* this.#inRun(run, index);
  }

  *#inRun(run: string, offset: number): Generator<Sighting> {
    let told = 0;
    for (let at = 0; at + GRAM <= run.length; at += 1) {
      const owners = this.#grams.get(run.slice(at, at + GRAM));
      if (owners === undefined) continue;
      const best = owners
        .map((owner) => ({ owner, ...sighting(run, at, owner) }))
        .reduce((one, other) => (other.end - other.start > one.end - one.start ? other : one));
      const { owner, ...seen } = best;
      const beforeSecret = Math.max(0, owner.token.secretFrom - (owner.at - (at - seen.start)));
      if (seen.end - seen.start - beforeSecret < SHORTEST_PART || seen.end <= told) continue;
      told = seen.end;
      yield { ...seen, start: offset + seen.start, end: offset + seen.end };
    }
  }
}

function knownToken(text: string, kind: TokenKind): KnownToken {
  const parts = text.split('.');
  // With too little behind its header it is looked for as a whole.
  const isSerialized =
    text.startsWith('eyJ') && parts.length > 1 && text.length - text.indexOf('.') - 1 >= SHORTEST_TOKEN;
  return {
    kind,
    text,
    fingerprint: fingerprint(text),
    secretFrom: isSerialized ? text.indexOf('.') + 1 : 0,
    signatureFrom: isSerialized && parts.length === 3 ? text.lastIndexOf('.') + 1 : text.length,
  };
}

/** As much of the token as there is around the place where both agree. */
function sighting(text: string, place: number, { token, at }: Owner): Sighting {
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
