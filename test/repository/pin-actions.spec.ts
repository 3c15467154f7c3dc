import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isPinned, pinned, tagsAt, usesIn } from '../../scripts/release/action-pins.mjs';

let folder: string;
let file: string;
let first: string;
let second: string;

function git(...args: string[]): string {
  const identity = ['-c', 'user.name=Owner', '-c', 'user.email=owner@example.com', '-c', 'init.defaultBranch=main'];
  return execFileSync('git', [...identity, ...args], { cwd: join(folder, 'owner/action'), encoding: 'utf8' }).trim();
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pin-actions-'));
  file = join(folder, 'workflow.yml');
  mkdirSync(join(folder, 'owner/action'), { recursive: true });
  git('init', '--quiet');
  git('commit', '--quiet', '--allow-empty', '--message=one');
  git('tag', 'v1.0.0');
  first = git('rev-parse', 'HEAD');
  git('commit', '--quiet', '--allow-empty', '--message=two');
  git('tag', '--annotate', '--message=two', 'v1.1.0');
  git('tag', 'v1');
  second = git('rev-parse', 'HEAD');
});
afterAll(() => rmSync(folder, { recursive: true }));

const tagsOf = (): ReadonlyMap<string, string> => tagsAt(join(folder, 'owner/action'));

describe('the pins of actions', () => {
  it.each([
    ['a tag', 'owner/action@v1.0.0', () => `owner/action@${first} # v1.0.0`],
    ['an annotated tag, by its commit', 'owner/action@v1.1.0', () => `owner/action@${second} # v1.1.0`],
    ['a tag that moves, by the tag of the release', 'owner/action@v1', () => `owner/action@${second} # v1.1.0`],
    ['an action in a folder', 'owner/action/init@v1.0.0', () => `owner/action/init@${first} # v1.0.0`],
  ])('replace %s', (_, use, expected) => {
    const { text, faults } = pinned(`steps:\n  - uses: ${use}\n    with: { a: b }\n`, tagsOf);
    expect(faults).toEqual([]);
    expect(text).toBe(`steps:\n  - uses: ${expected()}\n    with: { a: b }\n`);
  });

  it('leave a pinned action and the actions of this repository unchanged', () => {
    const text = `- uses: owner/action@${first} # v1.0.0\n- uses: ./.github/actions/setup\n- run: echo owner/action@v1\n`;
    expect(pinned(text, tagsOf)).toEqual({ text, faults: [] });
  });

  it.each([
    [
      'a moved tag',
      () => `owner/action@${first} # v1.1.0`,
      () => `owner/action: v1.1.0 is now ${second}, not ${first}`,
    ],
    ['an unknown tag', () => 'owner/action@v2', () => 'owner/action has no tag v2'],
    ['a commit without a tag', () => `owner/action@${first}`, () => `owner/action@${first} has no comment with a tag`],
  ])('report %s', (_, use, fault) => {
    expect(pinned(`- uses: ${use()}\n`, tagsOf).faults).toEqual([fault()]);
  });
});

describe('npm run actions:pin', () => {
  const run = (): { status: number | null; stderr: string } =>
    spawnSync(process.execPath, ['scripts/release/pin-actions.mjs', `--from=${folder}`, file], { encoding: 'utf8' });

  it('reads the tags from git, and writes the file', () => {
    writeFileSync(file, '- uses: owner/action@v1\n');
    expect(run()).toMatchObject({ status: 0, stderr: '' });
    expect(readFileSync(file, 'utf8')).toBe(`- uses: owner/action@${second} # v1.1.0\n`);
  });

  it.each(['owner/action@v2', 'owner/unknown@v1'])(
    'fails, and changes nothing, if one action can not be pinned: %s',
    (use) => {
      const text = `- uses: owner/action@v1\n- uses: ${use}\n`;
      writeFileSync(file, text);
      expect(run()).toMatchObject({ status: 1, stderr: expect.stringContaining(use.split('@')[0] ?? '') });
      expect(readFileSync(file, 'utf8')).toBe(text);
    },
  );
});

describe('an action', () => {
  it.each([
    ['owner/action@v1', false],
    [`owner/action@${'a'.repeat(40)}`, false],
    [`owner/action@${'a'.repeat(39)} # v1`, false],
    [`owner/action@${'a'.repeat(40)} # v1`, true],
  ])('is pinned by a commit and the tag in a comment: %s', (use, expected) => {
    expect(usesIn(`- uses: ${use}\n`).map(isPinned)).toEqual([expected]);
  });
});
