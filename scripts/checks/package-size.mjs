// npm run package:size prints the size of each packed library and of its dependencies.
import '../common/help.mjs';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { argumentsOf } from '../common/own-options.mjs';
import { packLibrary, publishedLibraries } from '../release/packed-library.mjs';

argumentsOf({ options: {} });

/** @param {number} bytes */
const kilobytes = (bytes) => `${(bytes / 1000).toFixed(0).padStart(6)} kB`;
/** @param {number[]} numbers */
const sum = (numbers) => numbers.reduce((one, other) => one + other, 0);

for (const library of publishedLibraries()) {
  const { manifest, files, size, unpackedSize } = packLibrary(library);
  const brought = [...dependenciesOf(library, new Map())].toSorted(([one], [other]) => one.localeCompare(other));
  console.log(`${manifest.name}@${manifest.version}
  packed        ${kilobytes(size)}
  unpacked      ${kilobytes(unpackedSize)}, ${files.length} files

  Dependencies, with all that they need: ${brought.length}, ${kilobytes(sum(brought.map(([, bytes]) => bytes))).trim()}`);
  for (const [dependency, bytes] of brought) console.log(`    ${dependency.padEnd(24)}${kilobytes(bytes)}`);
  console.log('\n  The application installs these peers:');
  for (const [peer, range] of Object.entries(manifest.peerDependencies ?? {})) {
    const optional = manifest.peerDependenciesMeta?.[peer]?.optional ? ', if at all' : '';
    console.log(`    ${peer.padEnd(24)}${range}${optional}`);
  }
  console.log();
}

/**
 * Returns the bytes on disk of each package, by name and version.
 *
 * @param {string} folder @param {Map<string, number>} found @returns {Map<string, number>}
 */
function dependenciesOf(folder, found) {
  const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  for (const name of Object.keys(dependencies)) {
    const installed = installedAt(name, folder);
    const { version } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
    if (found.has(`${name}@${version}`)) continue;
    found.set(`${name}@${version}`, sizeOf(installed));
    dependenciesOf(installed, found);
  }
  return found;
}

/** @param {string} name @param {string} from @returns {string} */
function installedAt(name, from) {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(candidate)) return candidate;
    if (folder === dirname(folder)) throw new Error(`${name} is not installed: run npm install`);
  }
}

/** @param {string} folder */
function sizeOf(folder) {
  return sum(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .map((file) => join(file.parentPath, file.name).slice(folder.length + 1))
      .filter((path) => !path.startsWith('node_modules/'))
      .map((path) => statSync(join(folder, path)))
      .map((stats) => (stats.isFile() ? stats.size : 0)),
  );
}
