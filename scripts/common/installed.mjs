// Where the executable of a server is that is no npm package.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Debian puts servers where the PATH of a user does not lead. */
const FOLDERS = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];

/**
 * The path of an executable; undefined where it is not installed.
 *
 * @param {string} name
 * @param {...string} first folders to look into before those of the PATH
 */
export function installed(name, ...first) {
  return [...first, ...FOLDERS].map((folder) => join(folder, name)).find(isExecutable);
}

/** @param {string} path */
export function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
