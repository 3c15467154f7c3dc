import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pages = execFileSync('git', ['ls-files', '*.md'], { cwd: root, encoding: 'utf8' }).trim().split('\n');

it('no command of a page has a comment, because an interactive zsh would pass the comment as arguments', () => {
  const found = pages.flatMap((page) => {
    const blocks = readFileSync(join(root, page), 'utf8').matchAll(/^ *```(?:sh|bash)\n(.*?)^ *```/gms);
    return [...blocks].flatMap(([, block = '']) =>
      block
        .split('\n')
        .filter((line) => /\s#\s/.test(line))
        .map((line) => `${page}: ${line}`),
    );
  });
  expect(pages.length).toBeGreaterThan(20);
  expect(found).toEqual([]);
});
