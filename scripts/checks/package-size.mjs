// npm run package:size prints the size of each packed library, its largest files, and what is installed with it.
import '../common/help.mjs';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { argumentsOf } from '../common/own-options.mjs';
import { packLibrary, publishedLibraries } from '../release/packed-library.mjs';
import { packagesOf } from './installed-packages.mjs';
import { figuresOf, readBudgets, rounded } from './package-budgets.mjs';

argumentsOf({ options: {} });

const LARGEST = 10;

/** @param {number} bytes */
const kilobytes = (bytes) => `${(bytes / 1000).toFixed(0).padStart(6)} kB`;

for (const library of publishedLibraries()) {
  const packed = packLibrary(library);
  const { manifest, folder, files } = packed;
  console.log(`${manifest.name}@${manifest.version}`);
  for (const [name, figure] of Object.entries(figuresOf(packed))) {
    console.log(`  ${name.padEnd(20)}${rounded(figure).padStart(8)} of ${readBudgets()[manifest.name]?.[name]}`);
  }
  console.log('\n  The largest files:');
  print(
    files.map((file) => [file, statSync(join(folder, file)).size]),
    LARGEST,
  );
  console.log('\n  Installed with it, by its dependencies:');
  const dependencies = packagesOf(folder, { peers: false });
  print([...dependencies]);
  console.log('\n  Installed with it, by its required peers:');
  print([...packagesOf(folder, { peers: true })].filter(([name]) => !dependencies.has(name)));
  console.log('\n  Optional peers:');
  for (const [peer, range] of Object.entries(manifest.peerDependencies ?? {})) {
    if (manifest.peerDependenciesMeta?.[peer]?.optional) console.log(`    ${peer.padEnd(32)}${range}`);
  }
  console.log();
}

/** @param {[string, number][]} sizes @param {number} [most] */
function print(sizes, most = Infinity) {
  const largestFirst = sizes.toSorted(([, one], [, other]) => other - one).slice(0, most);
  for (const [name, bytes] of largestFirst) console.log(`    ${name.padEnd(32)}${kilobytes(bytes)}`);
}
