// npm run package:check checks manifest, types, files, source maps, dependencies and size of each packed library. With
// --release, the command also checks that npm run release:prepare has prepared the pages.
import '../common/help.mjs';
import {
  faultsOfCommands,
  faultsOfCompilation,
  faultsOfExports,
  faultsOfFiles,
  faultsOfManifest,
  faultsOfTypes,
} from './package-contents.mjs';
import { argumentsOf } from '../common/own-options.mjs';
import { faultsOfBudget, figuresOf, readBudgets } from './package-budgets.mjs';
import { faultsOfDependencies } from './package-dependencies.mjs';
import { faultsOfSourceMaps, faultsOfStackTraces } from './package-source-maps.mjs';
import { packLibrary, publishedLibraries } from '../release/packed-library.mjs';
import { faultsOfPages } from '../release/released-pages.mjs';
import { paint } from '../common/processes.mjs';

const { values: flags } = argumentsOf({ options: { release: { type: 'boolean' } } });

/** @type {Record<string, (packed: import('../release/packed-library.mjs').Packed) => string[] | Promise<string[]>>} */
const CHECKS = {
  'publint finds nothing': faultsOfManifest,
  'the types are right for every importer of ES modules (attw)': faultsOfTypes,
  'the types pass without skipLibCheck': faultsOfCompilation,
  'every export exists and can be imported': faultsOfExports,
  'each command prints its options': faultsOfCommands,
  'the package contains the needed files and no others': faultsOfFiles,
  'source maps contain the sources, and point to the same statement': faultsOfSourceMaps,
  'a stack trace names the line of the source': faultsOfStackTraces,
  'it depends on what its main entry point leads to, and on nothing else': faultsOfDependencies,
  'size and installed packages are within their budgets': (packed) =>
    faultsOfBudget(figuresOf(packed), readBudgets()[packed.manifest.name]),
  ...(flags.release ? { 'links of the pages work on a registry page': faultsOfPages } : {}),
};

process.exitCode = 0;
for (const library of publishedLibraries()) {
  const packed = packLibrary(library);
  let failed = 0;
  for (const [claim, check] of Object.entries(CHECKS)) {
    const faults = await check(packed);
    console.log(faults.length === 0 ? `${paint(32, 'ok')}      ${claim}` : `${paint(31, 'FAILED')}  ${claim}`);
    for (const fault of faults) console.log(fault.trimEnd().replaceAll(/^/gm, ' '.repeat(10)));
    if (faults.length > 0) failed += 1;
  }
  const { name, version } = packed.manifest;
  const passed = Object.keys(CHECKS).length - failed;
  console.log(`${name}@${version}, ${packed.files.length} files: ${passed} passed, ${failed} failed\n`);
  if (failed > 0) process.exitCode = 1;
}
