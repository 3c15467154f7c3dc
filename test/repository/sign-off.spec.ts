import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const COMMAND = resolve('scripts/checks/sign-off.mjs');
const AUTHOR = 'Ada <ada@example.com>';

const UNSIGNED = [
  ['feat: no line', 'The reason.'],
  ['feat: another person', 'Signed-off-by: Bob <bob@example.com>'],
  ['feat: in the middle of the message', `Signed-off-by: ${AUTHOR}`, 'The reason.'],
  ['feat: another line', `Reviewed-by: ${AUTHOR}`],
];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sign-off-'));
  git('init', '--quiet', '--initial-branch=main');
  commit('the base');
  git('tag', 'base');
  git('checkout', '--quiet', '-b', 'branch');
  commit('feat: the author', 'The reason.', `Signed-off-by: ${AUTHOR}`);
  commit('feat: another name', 'Signed-off-by: A. L. <ada@example.com>');
  commit('feat: another address', 'Signed-off-by: Ada <ada@example.org>');
  git('checkout', '--quiet', 'main');
  git('merge', '--quiet', '--no-ff', '--message=Merge a branch', 'branch');
  git('tag', 'signed');
  for (const paragraphs of UNSIGNED) commit(...paragraphs);
});
afterAll(() => rmSync(folder, { recursive: true }));

function git(...args: string[]): void {
  const identity = ['-c', 'user.name=Committer', '-c', 'user.email=committer@example.com'];
  execFileSync('git', [...identity, ...args], { cwd: folder, stdio: 'pipe' });
}

function commit(...paragraphs: string[]): void {
  git('commit', '--quiet', '--allow-empty', `--author=${AUTHOR}`, ...paragraphs.map((text) => `--message=${text}`));
}

function run(...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, ...args], { cwd: folder, encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

describe('npm run sign-off', () => {
  it("accepts a line with the author's name or address, and a merge commit without a line", () => {
    expect(run('base..signed')).toEqual({ status: 0, output: '3 of 3 commits are signed off\n' });
  });

  it('refuses a commit without such a line at the end, and names the commit', () => {
    const { status, output } = run('signed..main');
    expect(status).toBe(1);
    expect(output).toContain('0 of 4 commits are signed off');
    for (const [subject] of UNSIGNED)
      expect(output).toContain(` ${subject}\n    has no line "Signed-off-by: Ada <ada@example.com>"`);
    expect(output).toContain('git rebase --signoff signed');
  });

  it.each([
    ['has no commits', ['main..base'], 'main..base has no commits'],
    ['is unknown', ['nowhere..main'], 'nowhere'],
    ['is not a range', ['main'], 'Give the range of the commits'],
  ])('fails if the range %s', (_, args, message) => {
    const { status, output } = run(...args);
    expect(status).toBe(1);
    expect(output).toContain(message);
  });
});
