/** Unpacks an archive and keeps the file permissions, so that `bin/kc.sh` is executable. */
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openPromise, type Entry, type ZipFile } from 'yauzl';

/** Unix archives store the file mode in the upper half of the external attributes. */
const MODE_SHIFT = 16;
const PERMISSIONS = 0o777;
const DEFAULT_MODE = 0o644;

/**
 * yauzl rejects a path outside `folder`, and an entry of the wrong size. The caller has verified the checksum. Links
 * are not supported, since Keycloak's distribution contains no links.
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
