/** Which tokens are in memory once the requests that brought them are over: none but those of this service. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

const here = import.meta.dirname;

describe('the memory of a service', () => {
  // In a process of its own: a snapshot of one that runs Jest takes a minute.
  it('holds no token of a caller, whatever is kept of it, and only those that were issued to the service (RS-12)', async () => {
    const program = [join(here, '../support/typescript-loader.mjs'), join(here, 'held-tokens-scenario.ts')];
    const { stdout } = await promisify(execFile)(process.execPath, program);
    expect(JSON.parse(stdout)).toEqual({
      // Which is the proof, too, that what is held is found.
      held: ['issued'],
      kept: { active: true, known: true, inactive: false, denials: 1, exchanged: true },
    });
  });
});
