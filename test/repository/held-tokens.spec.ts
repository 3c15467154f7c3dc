import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

const here = import.meta.dirname;

describe('the memory of a service', () => {
  // Starts a separate process, because a heap snapshot of a Jest process takes a minute.
  it('contains no token of a caller, but tokens that were issued to the service (RS-12)', async () => {
    const program = [join(here, '../support/typescript-loader.mjs'), join(here, 'held-tokens-scenario.ts')];
    const { stdout } = await promisify(execFile)(process.execPath, program);
    expect(JSON.parse(stdout)).toEqual({
      held: ['issued'],
      kept: { active: true, known: true, inactive: false, denials: 1, exchanged: true },
    });
  });
});
