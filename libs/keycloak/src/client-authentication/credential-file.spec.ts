import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { credentialReader } from './credential-file.js';

const MANY = 200;

describe('a credential file', () => {
  it('blocks only one thread when many callers wait for a read that hangs', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'credential-'));
    const [hanging, other] = [join(folder, 'hanging'), join(folder, 'other')];
    // A read of a FIFO waits until a writer opens the FIFO.
    execFileSync('mkfifo', [hanging]);
    writeFileSync(other, 'other');
    const read = credentialReader(hanging);
    const reads = Array.from({ length: MANY }, async () => read());
    try {
      await expect(readFile(other, 'utf8')).resolves.toBe('other');
    } finally {
      const writer = openSync(hanging, 'r+');
      writeFileSync(writer, 'the-secret');
      setImmediate(() => closeSync(writer));
    }
    await expect(Promise.all(reads)).resolves.toEqual(Array.from({ length: MANY }, () => 'the-secret'));
    rmSync(folder, { recursive: true });
  });
});
