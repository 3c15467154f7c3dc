/** `npm run checklist`: requirements, and the tests that carry their IDs. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
// Put together, so that the checklist of this repository does not take them for IDs of its own tests.
const [FIRST, SECOND, LATER, OTHER] = [1, 2, 3, 9].map((number) => `ZZ-0${number}`);
const DOCUMENT = `
| ID | Requirement | Status |
| -- | ----------- | ------ |
| ${FIRST} | One. | due |
| ${SECOND} | Two. | due |
| ${LATER} | Three. | planned |
`;
const SPEC = `
describe('group (${FIRST})', () => {
  it.each([['a row (${SECOND})', 1]])('%s', () => {});
});
`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checklist-'));
  for (const name of ['apps', 'docs', 'libs', 'test']) mkdirSync(join(folder, name));
});
afterEach(() => rmSync(folder, { recursive: true }));

function checklist(document: string, spec: string, ...options: string[]): { status: number | null; printed: string } {
  writeFileSync(join(folder, 'docs/security-requirements.md'), document);
  writeFileSync(join(folder, 'test/some.e2e-spec.ts'), spec);
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts/checklist.mjs'), ...options], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  return { status, printed: stdout + stderr };
}

describe('npm run checklist', () => {
  it('is content when what is due is in the title of a test, of a group or of a row', () => {
    const { status, printed } = checklist(DOCUMENT, SPEC);
    expect(printed).toContain('2 of 2 due requirements have a test.');
    expect(printed).not.toContain(LATER);
    expect(status).toBe(0);
  });

  it.each<[string, string, string]>([
    ['has no test', SPEC.replace(` (${SECOND})`, ''), `${SECOND} is due and has no test`],
    ['has only a test that is skipped', SPEC.replace('it.each', 'it.skip.each'), `${SECOND} is due and has no test`],
    ['stands in a comment only', `// ${SECOND}\n${SPEC.replace(SECOND ?? '', '')}`, `${SECOND} is due and has no test`],
    ['is unknown', `${SPEC}it('${OTHER}', () => {});`, `${OTHER} is no requirement; named in test/some.e2e-spec.ts`],
  ])('fails when an ID %s', (_, spec, complaint) => {
    const { status, printed } = checklist(DOCUMENT, spec);
    expect(printed).toContain(complaint);
    expect(status).toBe(1);
  });

  it.each([`${FIRST}…02`, `${FIRST} to ${SECOND}`, `${FIRST}, ${SECOND}`])('reads %s as two', (ids) => {
    expect(checklist(DOCUMENT, `it('does this (${ids})', () => {});`).status).toBe(0);
  });

  it('takes a row that it cannot read for a fault', () => {
    const { status, printed } = checklist(DOCUMENT.replace('| planned |', '| soon |'), SPEC);
    expect(printed).toContain('Not a requirement');
    expect(status).toBe(1);
  });

  it('lists what is for later with --planned, and knows no other option', () => {
    expect(checklist(DOCUMENT, SPEC, '--planned').printed).toContain(`${LATER}   -  Three. (planned)`);
    expect(checklist(DOCUMENT, SPEC, '--all').status).toBe(2);
  });
});
