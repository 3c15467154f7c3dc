import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

/**
 * @typedef {object} Manifest the properties that the scripts read
 * @property {string} name
 * @property {string} version
 * @property {Record<string, string | Record<string, string>>} exports
 * @property {string} [main]
 * @property {string[]} [files]
 * @property {Record<string, string>} [bin]
 * @property {Record<string, string>} [dependencies]
 * @property {Record<string, string>} [peerDependencies]
 * @property {Record<string, { optional?: boolean }>} [peerDependenciesMeta]
 * @property {Record<string, string>} [optionalDependencies]
 *
 * @typedef {object} Contents of a package
 * @property {readonly string[]} files paths in its folder
 * @property {(file: string) => string} read
 * @property {Manifest} manifest
 *
 * @typedef {Contents & { library: string, tarball: string, folder: string, size: number, unpackedSize: number }} Packed
 *   `library` is the source folder, and `folder` contains the unpacked tarball. Sizes are in bytes.
 */

const ROOT = resolve(import.meta.dirname, '../..');
export const TSC = resolve(import.meta.dirname, '../../node_modules/typescript/bin/tsc');

/** @param {string} root @returns {string[]} */
export function publishedLibraries(root = ROOT) {
  const libraries = join(root, 'libs');
  return readdirSync(libraries)
    .map((name) => join(libraries, name))
    .filter((library) => JSON.parse(readFileSync(join(library, 'package.json'), 'utf8')).private !== true);
}

/** @param {string} library its folder @returns {Packed} */
export function packLibrary(library) {
  run(library, process.execPath, [TSC, '-b', 'tsconfig.lib.json']);
  removeOrphans(library);
  return packBuilt(library);
}

/** @param {string} library @returns {Packed} */
export function packBuilt(library) {
  // The destination is inside the library folder, so that imports resolve as in the sources.
  const destination = join(library, 'node_modules/.cache/packed');
  rmSync(destination, { recursive: true, force: true });
  mkdirSync(destination, { recursive: true });
  // Some versions of npm print a list, and other versions print an object.
  const [packed] = Object.values(
    JSON.parse(run(library, 'npm', ['pack', '--json', '--pack-destination', destination])),
  );
  const tarball = join(destination, packed.filename);
  run(library, 'tar', ['-xzf', tarball, '-C', destination]);
  const folder = join(destination, 'package');
  /** @param {string} file */
  const read = (file) => readFileSync(join(folder, file), 'utf8');
  return {
    library,
    tarball,
    folder,
    files: packed.files.map((/** @type {{ path: string }} */ { path }) => path),
    read,
    manifest: JSON.parse(read('package.json')),
    size: packed.size,
    unpackedSize: packed.unpackedSize,
  };
}

/** @param {string} folder @param {string} command @param {string[]} args */
const run = (folder, command, args) =>
  execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

/**
 * The promise does not reject, since `stderr` contains the error.
 *
 * @param {string} folder @param {string} script @returns {Promise<{ stderr: string }>}
 */
export function runInside(folder, script) {
  const args = ['--enable-source-maps', '--input-type=module', '--eval', script];
  return promisify(execFile)(process.execPath, args, { cwd: folder }).catch((error) => error);
}

/**
 * Removes the output of deleted source files, which would otherwise be packed.
 *
 * @param {string} library
 */
function removeOrphans(library) {
  for (const file of readdirSync(join(library, 'dist'), { recursive: true, encoding: 'utf8' })) {
    const source = file.replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts');
    if (source !== file && !existsSync(join(library, 'src', source))) rmSync(join(library, 'dist', file));
  }
}
