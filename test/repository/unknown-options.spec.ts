/** What a script of this repository says of an option that it does not have. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';

const SCRIPTS = [
  ...['chaos', 'examples', 'faults', 'new-service-check', 'pieces', 'tour', 'verify-long'].map(
    (name) => `scripts/${name}`,
  ),
  'bench/run',
  'compat/run',
];

describe('an option that a script does not have', () => {
  it.each(SCRIPTS)('is told in one sentence by %s, which does nothing', (name) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [`${name}.mjs`, '--no-such-option'], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] },
    });
    expect({ status, stdout, lines: stderr.trim().split('\n').length }).toEqual({ status: 1, stdout: '', lines: 1 });
    expect(stderr).toContain("Unknown option '--no-such-option'");
  });
});
