/** Installed: finds the executable of a server that is no npm package. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Debian puts servers where the PATH of a user does not lead. */
const FOLDERS = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];

/** Undefined where it is not installed. `first` is a folder to look into before those of the PATH. */
export function installed(name: string, ...first: readonly string[]): string | undefined {
  return [...first, ...FOLDERS]
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
