// The library as it would be published: built, packed by npm, and unpacked again.
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

export const LIBRARY = resolve(import.meta.dirname, '../libs/keycloak');
export const TSC = resolve(import.meta.dirname, '../node_modules/typescript/bin/tsc');
/** Below the library, so that what it imports is found where its own sources find it. */
const FOLDER = join(LIBRARY, 'node_modules/.cache/packed');

/**
 * Gives the tarball, the folder of what is in it, its files (paths in that folder) and how to read one, its manifest, and
 * `size` and `unpackedSize` in bytes.
 */
export function packLibrary() {
  run(process.execPath, [TSC, '-b', 'tsconfig.lib.json']);
  removeOrphans();
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  // A list, or by name, as npm's version has it.
  const [packed] = Object.values(JSON.parse(run('npm', ['pack', '--json', '--pack-destination', FOLDER])));
  const tarball = join(FOLDER, packed.filename);
  run('tar', ['-xzf', tarball, '-C', FOLDER]);
  const folder = join(FOLDER, 'package');
  const read = (file) => readFileSync(join(folder, file), 'utf8');
  return {
    tarball,
    folder,
    files: packed.files.map(({ path }) => path),
    read,
    manifest: JSON.parse(read('package.json')),
    size: packed.size,
    unpackedSize: packed.unpackedSize,
  };
}

/** Runs a module that imports the package by its name; never rejects, and what it fails with is in `stderr`. */
export function runInside(folder, script) {
  const args = ['--enable-source-maps', '--input-type=module', '--eval', script];
  return promisify(execFile)(process.execPath, args, { cwd: folder }).catch((error) => error);
}

function run(command, args) {
  return execFileSync(command, args, { cwd: LIBRARY, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

/** What was compiled from a source that is gone would be packed as well. */
function removeOrphans() {
  for (const file of readdirSync(join(LIBRARY, 'dist'), { recursive: true })) {
    const source = file.replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts');
    if (source !== file && !existsSync(join(LIBRARY, 'src', source))) rmSync(join(LIBRARY, 'dist', file));
  }
}
