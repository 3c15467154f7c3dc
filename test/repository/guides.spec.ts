/** `npm run guides`: what it takes from a guide, and what it refuses to pass over. */
import { beforeAll, describe, expect, it } from '@jest/globals';

interface Block {
  readonly line: number;
  readonly kind: 'file' | 'patch' | 'run';
  readonly text: string;
  readonly path?: string;
  readonly flags?: readonly string[];
  readonly prints?: string;
}

interface Guide {
  readonly copy: boolean;
  readonly continues: string | undefined;
  readonly tsconfigs: readonly string[];
  readonly blocks: readonly Block[];
}

let readGuide: (markdown: string, document: string) => Guide | undefined;
let prints: (expected: string, printed: string) => boolean;
beforeAll(async () => {
  const script = (name: string): Promise<unknown> => import(new URL(`../../scripts/${name}`, import.meta.url).href);
  ({ readGuide } = (await script('guides-blocks.mjs')) as { readGuide: typeof readGuide });
  ({ prints } = (await script('guides-output.mjs')) as { prints: typeof prints });
});

const fence = (info: string, text: string): string => `\`\`\`${info}\n${text}\n\`\`\`\n`;
const read = (...blocks: string[]): Guide | undefined =>
  readGuide(['<!-- guide: in a new project -->\n', ...blocks].join('\n'), 'some.md');

describe('a guide', () => {
  it('says so: another document is none, whatever blocks it has', () => {
    expect(readGuide(`# Title\n\n${fence('ts', 'const some: string;')}`, 'some.md')).toBeUndefined();
  });

  it('says where it is followed, and what compiles it', () => {
    expect(read()).toMatchObject({ copy: false, tsconfigs: ['tsconfig.json'], blocks: [] });
    expect(read()?.continues).toBeUndefined();
    expect(readGuide('<!-- guide: after quick-start -->\n', 'some.md')).toMatchObject({ continues: 'quick-start' });
    const copy = '<!-- guide: in a copy of the repository -->\n\n<!-- compiled by: a.json b.json -->\n';
    expect(readGuide(copy, 'some.md')).toMatchObject({ copy: true, tsconfigs: ['a.json', 'b.json'] });
  });

  it('is followed nowhere else', () => {
    expect(() => readGuide('<!-- guide: on the moon -->\n', 'some.md')).toThrow('some.md:1: a guide is followed');
  });
});

describe('a block', () => {
  it('is a file, when the paragraph before it is nothing but its name', () => {
    const guide = read('`src/main.ts`:\n', fence('ts', 'start();'), '`a.json`\n', fence('json', '{}'));
    expect(guide?.blocks).toEqual([
      { kind: 'file', line: 5, path: 'src/main.ts', text: 'start();\n' },
      { kind: 'file', line: 11, path: 'a.json', text: '{}\n' },
    ]);
  });

  it.each([
    ['without a name', fence('ts', 'start();')],
    ['with a name in a sentence', `See \`src/main.ts\`:\n\n${fence('ts', 'start();')}`],
    ['with a name that is not beside it', `\`src/main.ts\`:\n\nWords.\n\n${fence('ts', 'start();')}`],
  ])('%s is neither run nor compiled', (_, markdown) => {
    expect(() => read(markdown)).toThrow(/^some[.]md:\d+: neither run nor compiled/);
  });

  it('stays in the project', () => {
    for (const path of ['../main.ts', '/etc/main.ts', 'src/../../main.ts']) {
      expect(() => read(`\`${path}\`:\n`, fence('ts', ''))).toThrow(`${path} is outside the project`);
    }
  });

  it('is run, and printed, in the order of the guide', () => {
    const guide = read(fence('sh', 'ls'), fence('text output', 'a'), fence('sh background', 'npm start'));
    expect(guide?.blocks).toEqual([
      { kind: 'run', line: 3, text: 'ls', flags: [], prints: 'a' },
      { kind: 'run', line: 11, text: 'npm start', flags: ['background'] },
    ]);
  });

  it('is a patch', () => {
    expect(read(fence('diff', '-a\n+b'))?.blocks).toEqual([{ kind: 'patch', line: 3, text: '-a\n+b\n' }]);
  });

  it('is not passed over: every one that is at fault is named', () => {
    const faulty = [
      fence('sh backgruond', 'ls'),
      fence('json output', '{}'),
      `- item\n\n  ${fence('sh', 'ls').replaceAll('\n', '\n  ')}`,
    ];
    expect(() => read(...faulty, fence('text', ''))).toThrow(
      [
        'some.md:3: unknown: backgruond',
        'some.md:7: output of nothing: a block that is run comes before it',
        'some.md:11: a block inside a list or quotation is not run',
        'some.md:17: neither run nor compiled: name its file in a line before it',
      ].join('\n'),
    );
  });

  it('has one output', () => {
    expect(() => read(fence('sh', 'ls'), fence('text output', 'a'), fence('text output', 'b'))).toThrow(
      'output of nothing',
    );
  });
});

describe('an output', () => {
  const printed = '\nnoise\n  first   \n\u001B[32msecond\u001B[0m (3.2 s)\n\nthird\n';

  it.each([
    ['one line', 'third'],
    ['lines that follow one another, whatever is empty between', 'first\nsecond (3.2 s)\n\nthird'],
    ['anything in a line', 'sec… (… s)'],
    ['any lines', 'noise\n…\nthird'],
    ['any lines that are none', 'first\n…\nsecond (3.2 s)'],
  ])('has %s', (_, expected) => {
    expect(prints(expected, printed)).toBe(true);
  });

  it.each([
    ['a part of a line', 'thi'],
    ['lines in another order', 'second (3.2 s)\nfirst'],
    ['lines with others between', 'noise\nsecond (3.2 s)'],
    ['a pattern of another kind', 't.*'],
    ['what is not there', 'fourth'],
  ])('has not %s', (_, expected) => {
    expect(prints(expected, printed)).toBe(false);
  });
});
