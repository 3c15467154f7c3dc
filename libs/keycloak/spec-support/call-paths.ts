import fc from 'fast-check';
import { IssuedToken } from '../src/protocol/issued-token.js';
import { tokenText } from '../src/testing/token-text.js';

/** Pieces of paths that URL parsers, proxies and servers interpret differently. */
const PIECES = [
  '/ // . .. %2e %2E %2f %2F %5c ? # % %00 %0d%0a %7f %20 %3b %3B %c3%bc %zz'.split(' '),
  '; @ : & = + , ~ - _ ! $ ( ) * [ ] " < > ^ ` { | } a orders HTTP/1.1'.split(' '),
  ["'", '\\', ' ', '\t', '\n', '\r\nA: b', '\0', '\u007f', '\u0085', '\u2028', '\ufeff', '\ud83d', '\ude00'],
  'ä € 😀 \u2024 \uff0e \uff0f'.split(' '),
].flat();

const piece = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...PIECES) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }) },
);

export const callPath: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom('/', '/', '/', '/orders/', ''), fc.array(piece, { maxLength: 8 }))
  .map(([start, pieces]) => start + pieces.join(''));

export function mustBeRefused(path: string): boolean {
  const pathname = path.split('?')[0] ?? '';
  const segments = pathname.split(/\/|%2f|%5c/i).map((segment) => segment.split(/;|%3b/i)[0] ?? '');
  const hasDots = segments.some((segment) => ['.', '..'].includes(ascii(segment).replaceAll(/^ +| +$/g, '')));
  return hasDots || /[\\#]|\p{Cc}|\p{Cs}/u.test(path) || /\p{Cc}/u.test(ascii(pathname));
}

const ascii = (text: string): string =>
  text.replaceAll(/%([0-7][0-9a-f])/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));

/** Percent-encodes the characters that a URL may not contain, so that tests can compare spellings. */
export const spelt = (path: string): string =>
  [...path].map((each) => (/^[!-~]$/.test(each) && !/["'<>^`{|}]/.test(each) ? each : bytesOf(each))).join('');

const bytesOf = (character: string): string =>
  [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');

export class CountedTokens {
  requested = 0;

  get(): IssuedToken {
    this.requested += 1;
    return new IssuedToken(tokenText('first'), ['orders.approve'], 300);
  }

  dropRefused(): boolean {
    return false;
  }
}

export const outcomeOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'sent',
    (error: unknown) => (error instanceof TypeError ? 'TypeError' : error),
  );
