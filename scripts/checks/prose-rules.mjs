// Each rule finds sentences that a reader probably has to read twice. A rule may also find a clear sentence, so the
// command fails only if the percentage of found sentences is too high.

/**
 * @typedef {object} Rule
 * @property {string} name
 * @property {string} cure
 * @property {(sentence: string) => boolean} matches
 */

const MAX_WORDS = 30;
const PEOPLE =
  /\b(?:people|users?|callers?|clients?|everyone|anyone|somebody|someone|persons?|teams?|operators?|attackers?|services?) (?:who|whose)\b/;

/** @type {readonly Rule[]} */
export const RULES = [
  {
    name: 'start',
    cure: 'begin with the subject',
    matches: (sentence) =>
      /^(?:Of|What|Whatever|Whichever|Whoever|Who|Whose|Whom|Those|Such)\b/.test(sentence) && !sentence.endsWith('?'),
  },
  {
    name: 'long',
    cure: `use at most ${MAX_WORDS} words`,
    matches: (sentence) => sentence.split(' ').length > MAX_WORDS,
  },
  {
    name: 'chain',
    cure: 'write two sentences',
    matches: (sentence) => count(sentence, /[;:]/g) >= 2 || count(sentence, /,/g) >= 5,
  },
  {
    name: 'is no',
    cure: 'write "is not a …"',
    matches: (sentence) =>
      /\b(?:is|are|was|were|be) (?:none|nobody|no (?!longer|more|less|different|need|way|one\b)\w+)/.test(sentence),
  },
  {
    name: 'who',
    cure: 'name the actor',
    matches: (sentence) =>
      /(?:^|[,;:] |\b(?:for|to|by|of|and|but|so|that) )(?:who|whoever|whichever|whose) \w+/i.test(sentence) &&
      !sentence.endsWith('?') &&
      !PEOPLE.test(sentence),
  },
  {
    name: 'that of',
    cure: 'repeat the noun',
    matches: (sentence) =>
      /\b(?:as|than|and|like|by|with|in|to|from|are|is) (?:that|those|ones?) (?:of|which|that)\b/.test(sentence),
  },
  {
    name: 'inverted',
    cure: 'put the subject before the verb',
    matches: (sentence) =>
      /^(?:So|Nor|Neither|Not|Only|Never) (?:do|does|is|are|has|have|can|could|will|would)\b/.test(sentence) ||
      /, so (?:do|does|is|are|has|have) (?!not\b)\w+/.test(sentence) ||
      /(?:^|[,;:] )should (?:it|they|one|he|the \w+) /i.test(sentence),
  },
  {
    name: 'old',
    cure: 'use a common word',
    matches: (sentence) =>
      /\b(?:anew|thereof|wherein|whereby|whereof|hence|whatsoever|in vain|lest|till|be it|albeit|is had|were had|came to be)\b/i.test(
        sentence,
      ),
  },
];

/**
 * @param {string} text
 * @param {RegExp} pattern
 */
const count = (text, pattern) => [...text.matchAll(pattern)].length;
