import { afterAll, describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { unzip } from './unzip.js';

const folder = await mkdtemp(join(tmpdir(), 'unzip-'));
afterAll(() => rm(folder, { recursive: true }));
const never = new AbortController().signal;

interface ZippedFile {
  readonly name: string;
  readonly content: string;
  readonly mode: number;
}

async function zipOf({ name, content, mode }: ZippedFile, missingBytes = 0): Promise<string> {
  const data = deflateRawSync(content);
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(20, 0);
  fields.writeUInt16LE(8, 4);
  fields.writeUInt32LE(crc32(content), 10);
  fields.writeUInt32LE(data.length, 14);
  fields.writeUInt32LE(Buffer.byteLength(content) + missingBytes, 18);
  fields.writeUInt16LE(Buffer.byteLength(name), 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(name), data]);
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE((mode << 16) >>> 0, 6);
  const central = Buffer.concat([Buffer.from('PK\x01\x02'), Buffer.from([20, 3]), fields, rest, Buffer.from(name)]);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(1, 4);
  end.writeUInt16LE(1, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(local.length, 12);
  const path = join(folder, `${String(Math.random()).slice(2)}.zip`);
  await writeFile(path, Buffer.concat([local, central, Buffer.from('PK\x05\x06'), end]));
  return path;
}

describe('unzip', () => {
  it('unpacks files into the correct folders and keeps the permissions of the files', async () => {
    await unzip(await zipOf({ name: 'keycloak/bin/kc.sh', content: 'echo it', mode: 0o100755 }), folder, never);
    const path = join(folder, 'keycloak/bin/kc.sh');
    expect(await readFile(path, 'utf8')).toBe('echo it');
    expect((await stat(path)).mode & 0o777).toBe(0o755);
  });

  it('refuses a file whose path leads out of the folder', async () => {
    const archive = await zipOf({ name: '../escaped', content: 'x', mode: 0o100644 });
    await expect(unzip(archive, join(folder, 'inner'), never)).rejects.toThrow('invalid relative path');
    expect(existsSync(join(folder, 'escaped'))).toBe(false);
  });

  it('refuses a file that is shorter than the size in the archive', async () => {
    const archive = await zipOf({ name: 'cut', content: 'as published', mode: 0o100644 }, 1);
    await expect(unzip(archive, folder, never)).rejects.toThrow('not enough bytes');
  });

  it('stops when the signal aborts', async () => {
    const archive = await zipOf({ name: 'late', content: 'x', mode: 0o100644 });
    await expect(unzip(archive, folder, AbortSignal.abort(new Error('Ctrl-C')))).rejects.toThrow('Ctrl-C');
  });
});
