/** Respellings: what else a lenient decoder takes for the same token, and what is nearly that. */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** How many characters differ only in the bits that are thrown away, by what is left of the length when divided by four. */
const SAME_OCTETS: Readonly<Record<number, number>> = { 2: 16, 3: 4 };

/** All of them can stand in a header. */
export function respellingsOf(token: string): readonly string[] {
  const ends = ['.', '..', '.'.repeat(50), '=', '==', '='.repeat(50), '=.', '.=', '.AA'].map((end) => token + end);
  const beginnings = ['.', '=', 'AA.'].map((beginning) => beginning + token);
  const bent = token
    .split('.')
    .flatMap((part, at, parts) => respelledParts(part).map((other) => parts.with(at, other).join('.')));
  return [...new Set([...ends, ...beginnings, ...bent])].filter((other) => other !== token);
}

function respelledParts(part: string): readonly string[] {
  const same = SAME_OCTETS[part.length % 4] ?? 1;
  const last = ALPHABET.indexOf(part.slice(-1));
  const first = last - (last % same);
  const otherBits =
    last < 0 ? [] : Array.from(ALPHABET.slice(first, first + same), (character) => part.slice(0, -1) + character);
  const otherAlphabet = [
    part.replace('-', '+'),
    part.replace('_', '/'),
    part.replaceAll('-', '+').replaceAll('_', '/'),
  ];
  return ['', `${part}=`, `${part}==`, `=${part}`, ...otherBits, ...otherAlphabet];
}
