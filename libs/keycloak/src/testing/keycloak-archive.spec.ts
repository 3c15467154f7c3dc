import { afterAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChecksumError, verifyArchive, verifyKnownArchive } from './keycloak-archive.js';

const folder = await mkdtemp(join(tmpdir(), 'keycloak-archive-'));
afterAll(() => rm(folder, { recursive: true }));

async function archive(content: string): Promise<string> {
  const path = join(folder, 'keycloak.tar.gz');
  await writeFile(path, content);
  return path;
}

describe('the checksum of an archive', () => {
  it('passes when it is the published one', async () => {
    const path = await archive('genuine');
    await verifyArchive(path, createHash('sha256').update('genuine').digest('hex'));
    await verifyArchive(path, createHash('sha1').update('genuine').digest('hex'), 'sha1');
    expect(existsSync(path)).toBe(true);
  });

  it('refuses and deletes another file', async () => {
    const path = await archive('changed on its way');
    await expect(verifyKnownArchive(path, '26.7.4')).rejects.toThrow(ChecksumError);
    expect(existsSync(path)).toBe(false);
  });

  it('refuses a published checksum that is empty', async () => {
    await expect(verifyArchive(await archive('genuine'), '', 'sha1')).rejects.toThrow(ChecksumError);
  });
});
