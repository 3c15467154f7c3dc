import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { unifiedDiff } from './unified-diff.js';

const folder = mkdtempSync(join(tmpdir(), 'diff-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the unified diff', () => {
  it('turns the old text into the new text with git apply', () => {
    const line = fc.constantFrom('a', 'b', 'c', '', 'd', 'e');
    const text = fc
      .tuple(fc.array(line, { minLength: 1, maxLength: 40 }), fc.constantFrom('\n', ''))
      .map(([lines, end]) => `${lines.join('\n')}x${end}`);
    const path = join(folder, 'file.ts');
    fc.assert(
      fc.property(text, text, (before, after) => {
        fc.pre(before !== after);
        writeFileSync(path, before);
        execFileSync('git', ['apply', '--unidiff-zero', '-'], {
          cwd: folder,
          input: unifiedDiff('file.ts', before, after),
        });
        expect(readFileSync(path, 'utf8')).toBe(after);
      }),
      { numRuns: 30 },
    );
  });

  it('shows three lines around a change', () => {
    const before = '1\n2\n3\n4\n5\n6\n7\n8\n9\n';
    expect(unifiedDiff('src/a.ts', before, before.replace('5', 'five'))).toBe(
      '--- a/src/a.ts\n+++ b/src/a.ts\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n',
    );
  });
});
