/** unzip(): unpacks a zip archive and keeps the permissions of its files, which is why `bin/kc.sh` can be executed. */
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openPromise, type Entry, type ZipFile } from 'yauzl';

/** Where a zip archive that was made on Unix keeps the mode of a file: in the upper half of its external attributes. */
const MODE_SHIFT = 16;
const PERMISSIONS = 0o777;
const DEFAULT_MODE = 0o644;

/**
 * Unpacks `archive` into `folder`.
 *
 * Rejects if the path of a file leads out of `folder`, or if a file has another size than the archive says: yauzl validates
 * both. It does not compare checksums: the caller has verified the whole archive. It makes no links: Keycloak's distribution
 * has none.
 */
export async function unzip(archive: string, folder: string, signal: AbortSignal): Promise<void> {
  const zip = await openPromise(archive);
  try {
    for await (const entry of zip.eachEntry()) {
      signal.throwIfAborted();
      await unpack(zip, entry, join(folder, entry.fileName), signal);
    }
  } finally {
    zip.close();
  }
}

async function unpack(zip: ZipFile, entry: Entry, path: string, signal: AbortSignal): Promise<void> {
  if (entry.fileName.endsWith('/')) {
    await mkdir(path, { recursive: true });
    return;
  }
  await mkdir(dirname(path), { recursive: true });
  const mode = (entry.externalFileAttributes >>> MODE_SHIFT) & PERMISSIONS || DEFAULT_MODE;
  await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(path, { mode }), { signal });
}
