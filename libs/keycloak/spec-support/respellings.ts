/** Texts that a lenient decoder would accept as the token, and similar texts. */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

const SAME_OCTETS: Readonly<Record<number, number>> = { 2: 16, 3: 4 };

export function respellingsOf(token: string): readonly string[] {
  const ends = ['.', '..', '.'.repeat(50), '=', '==', '='.repeat(50), '=.', '.=', '.AA'].map((end) => token + end);
  const beginnings = ['.', '=', 'AA.'].map((beginning) => beginning + token);
  const respelled = token
    .split('.')
    .flatMap((part, at, parts) => respelledParts(part).map((other) => parts.with(at, other).join('.')));
  return [...new Set([...ends, ...beginnings, ...respelled])].filter((other) => other !== token);
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
