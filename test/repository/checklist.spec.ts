import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';

interface Checked {
  readonly requirements: readonly { readonly id: string; readonly tests: readonly string[] }[];
  readonly missing: readonly string[];
  readonly unknown: readonly (readonly [id: string, paths: readonly string[]])[];
}

const scripts = new URL('../../scripts/checks/', import.meta.url);

let checkRequirements: (markdown: string, specs: ReadonlyMap<string, string>) => Checked;
beforeAll(async () => {
  const module = (await import(new URL('requirements.mjs', scripts).href)) as {
    readonly checkRequirements: typeof checkRequirements;
  };
  ({ checkRequirements } = module);
});

// Builds the ids from parts, because the checklist of this repository must not find an id in this file.
const [FIRST = '', SECOND = '', OTHER = ''] = [1, 2, 9].map((number) => `ZZ-0${number}`);
const DOCUMENT = `
| ID | Requirement |
| -- | ----------- |
| ${FIRST} | One. |
| ${SECOND} | Two. |
`;
const SPEC = `
describe('group (${FIRST})', () => {
  it.each<[string, number]>([['a row (${SECOND})', 1]])('%s', () => {});
});
`;

const check = (spec: string, document = DOCUMENT): Checked =>
  checkRequirements(document, new Map([['some.spec.ts', spec]]));

describe('the checklist', () => {
  it('accepts a requirement whose id is in the title of a test, group or row', () => {
    expect(check(SPEC)).toEqual({
      requirements: [
        { id: FIRST, requirement: 'One.', tests: ['some.spec.ts'] },
        { id: SECOND, requirement: 'Two.', tests: ['some.spec.ts'] },
      ],
      missing: [],
      unknown: [],
    });
  });

  it.each<[string, string]>([
    ['has no test', SPEC.replace(` (${SECOND})`, '')],
    ['has only a skipped test', SPEC.replace('it.each', 'it.skip.each')],
    ['has only a test in a skipped group', SPEC.replace('describe', 'describe.skip')],
    ['is only in a comment', `// ${SECOND}\n${SPEC.replace(SECOND, '')}`],
    ['is only in the body of a test', `it('x (${FIRST})', () => expect('${SECOND}'));`],
  ])('reports a requirement that %s', (_, spec) => {
    expect(check(spec).missing).toContain(SECOND);
  });

  it('reports an unknown id with the file that contains the id', () => {
    expect(check(`${SPEC}it('${OTHER}', () => {});`).unknown).toEqual([[OTHER, ['some.spec.ts']]]);
  });

  it.each([`${FIRST}…02`, `${FIRST} to ${SECOND}`, `${FIRST}, ${SECOND}`])('reads %s as two ids', (ids) => {
    expect(check(`it('does this (${ids})', () => {});`)).toMatchObject({ missing: [], unknown: [] });
  });

  it('reports a document row that is not a requirement', () => {
    expect(() => check(SPEC, DOCUMENT.replace('| Two. |', '| Two. | soon |'))).toThrow(
      `Not a requirement: | ${SECOND} |`,
    );
  });

  it('rejects an unknown option', () => {
    const { status, stderr } = spawnSync(process.execPath, [fileURLToPath(new URL('checklist.mjs', scripts)), '--all']);
    expect(String(stderr)).toContain("Unknown option '--all'. Options: none");
    expect(status).toBe(1);
  });
});
