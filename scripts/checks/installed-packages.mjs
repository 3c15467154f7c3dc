import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** @typedef {import('../release/packed-library.mjs').Manifest} Manifest */

/**
 * Returns the packages that npm installs with a package, in the installed versions. npm also installs required
 * peers, unless `peers` is false.
 *
 * @param {string} folder of the package @param {{ peers: boolean }} options
 * @param {Map<string, number>} [found] bytes on disk, by name and version
 */
export function packagesOf(folder, { peers }, found = new Map()) {
  for (const { name, optional } of needsOf(manifestOf(folder), peers)) {
    const installed = installedAt(name, folder);
    if (installed === undefined && optional) continue;
    if (installed === undefined) throw new Error(`${name} is not installed: run npm install`);
    const key = `${name}@${manifestOf(installed).version}`;
    if (found.has(key)) continue;
    found.set(key, sizeOf(installed));
    packagesOf(installed, { peers }, found);
  }
  return found;
}

/** @param {Manifest} manifest @param {boolean} peers */
function needsOf(
  { dependencies = {}, optionalDependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} },
  peers,
) {
  const required = Object.keys(peerDependencies).filter((peer) => !peerDependenciesMeta[peer]?.optional);
  return [
    ...Object.keys(dependencies).map((name) => ({ name, optional: name in optionalDependencies })),
    ...Object.keys(optionalDependencies).map((name) => ({ name, optional: true })),
    ...(peers ? required.map((name) => ({ name, optional: false })) : []),
  ];
}

/** @param {string} folder @returns {Manifest} */
const manifestOf = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

/** @param {string} name @param {string} from @returns {string | undefined} */
function installedAt(name, from) {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(candidate)) return candidate;
    if (folder === dirname(folder)) return undefined;
  }
}

/** @param {string} folder without the packages that are installed in it */
function sizeOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((file) => join(file.parentPath, file.name))
    .filter((path) => !path.slice(folder.length + 1).startsWith('node_modules/'))
    .map((path) => statSync(path))
    .reduce((bytes, stats) => bytes + (stats.isFile() ? stats.size : 0), 0);
}
