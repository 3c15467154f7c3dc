import { describe, expect, it } from '@jest/globals';
import { RULES } from '../../scripts/checks/prose-rules.mjs';
import { sentencesOf } from '../../scripts/checks/prose-sentences.mjs';

const textsOf = (path: string, ...lines: string[]): [line: number, text: string][] =>
  sentencesOf(path, lines.join('\n')).map(({ line, text }) => [line, text]);
const rulesOf = (sentence: string): string[] =>
  RULES.filter(({ matches }) => matches(sentence)).map(({ name }) => name);

describe('the sentences that npm run prose checks', () => {
  it('come from paragraphs, list items and long table cells in Markdown', () => {
    const page = [
      '# A heading of four words',
      'One sentence is here. Another one',
      'ends in `code`.',
      '```sh',
      'npm install of something',
      '```',
      '- An item of a list.',
      '| a cell of four | short |',
    ];
    expect(textsOf('a.md', ...page)).toEqual([
      [2, 'One sentence is here.'],
      [2, 'Another one ends in CODE.'],
      [7, 'An item of a list.'],
      [8, 'a cell of four'],
    ]);
  });

  it('come from comments, test titles and messages in code', () => {
    const code = [
      '/** Returns the first value. */',
      'export const first = 1; // This is at the end.',
      '// A comment of two',
      '// lines is one.',
      "it('fails without a value', () => {",
      '  throw new TypeError(`The value ${first} is not here`);',
      '});',
      "const url = 'https://example.com/of a path';",
    ];
    expect(textsOf('a.ts', ...code)).toEqual([
      [1, 'Returns the first value.'],
      [2, 'This is at the end.'],
      [3, 'A comment of two lines is one.'],
      [5, 'fails without a value'],
      [6, 'The value CODE is not here'],
    ]);
  });
});

describe('the rules of npm run prose', () => {
  it.each([
    ['What ended is refused.', ['start']],
    [`The guard ${'again '.repeat(30)}refuses.`, ['long']],
    ['A: one thing; another thing.', ['chain']],
    ['This is no token.', ['is no']],
    ['It asks for whoever calls.', ['who']],
    ['Its window is that of the cache.', ['that of']],
    ['It refuses, so does the next service.', ['inverted']],
    ['It is read anew.', ['old']],
  ])('flag "%s"', (sentence, names) => {
    expect(rulesOf(sentence)).toEqual(names);
  });

  it.each([
    'The guard refuses a token that has ended.',
    'This is no longer valid.',
    'It helps users who have no token.',
    'Who may call this route?',
  ])('do not flag "%s"', (sentence) => {
    expect(rulesOf(sentence)).toEqual([]);
  });
});
