import { afterAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { ChecksumError, fetchArchive, verifyArchive, verifyKnownArchive } from './keycloak-archive.js';

const folder = await mkdtemp(join(tmpdir(), 'keycloak-archive-'));
afterAll(() => rm(folder, { recursive: true }));

async function archive(content: string): Promise<string> {
  const path = join(folder, 'keycloak.zip');
  await writeFile(path, content);
  return path;
}

describe('the checksum of an archive', () => {
  it('passes if the archive has the published checksum', async () => {
    const path = await archive('genuine');
    await verifyArchive(path, createHash('sha256').update('genuine').digest('hex'));
    await verifyArchive(path, createHash('sha1').update('genuine').digest('hex'), 'sha1');
    expect(existsSync(path)).toBe(true);
  });

  it('refuses and deletes a changed file', async () => {
    const path = await archive('changed on its way');
    await expect(verifyKnownArchive(path, '26.7.4')).rejects.toThrow(ChecksumError);
    expect(existsSync(path)).toBe(false);
  });

  it('fails if the published checksum is empty', async () => {
    await expect(verifyArchive(await archive('genuine'), '', 'sha1')).rejects.toThrow(ChecksumError);
  });
});

describe('the download of the archive', () => {
  const path = process.env['PATH'];
  afterAll(() => void (process.env['PATH'] = path));

  it('fails after the time limit, and reports the timeout of each download method', async () => {
    await writeFile(join(folder, 'mvn'), '#!/bin/sh\nexec sleep 60\n');
    await chmod(join(folder, 'mvn'), 0o755);
    process.env['PATH'] = `${folder}${delimiter}${path}`;
    const said: string[] = [];
    const context = {
      version: '26.7.4',
      fetchTimeoutSeconds: 0.2,
      onProgress: (line: string) => void said.push(line),
      signal: new AbortController().signal,
    };
    await expect(fetchArchive(folder, context)).resolves.toEqual({
      missing: ["Keycloak's archive by Maven: timeout after 0.2 s", "Keycloak's archive by https: timeout after 0.2 s"],
    });
    expect(said[0]).toContain('timeout 0.2 s');
  });
});
