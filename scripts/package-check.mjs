// npm run package:check: packs the library, and looks at what its users would get: manifest, types, files, source maps, peers.
import {
  faultsOfCompilation,
  faultsOfExports,
  faultsOfFiles,
  faultsOfManifest,
  faultsOfPeers,
  faultsOfTypes,
} from './package-contents.mjs';
import { faultsOfSourceMaps, faultsOfStackTraces } from './package-source-maps.mjs';
import { packLibrary } from './packed-library.mjs';
import { paint } from './processes.mjs';

const CHECKS = {
  'publint has nothing to say': faultsOfManifest,
  'the types are right for all who import ES modules (attw)': faultsOfTypes,
  'the types hold where libraries are checked as well': faultsOfCompilation,
  'every export is there, and can be imported': faultsOfExports,
  'what is needed is in it, and nothing else': faultsOfFiles,
  'source maps lead into the package, to the same statement': faultsOfSourceMaps,
  'a stack trace names the line of the source': faultsOfStackTraces,
  'Nest and what it brings are peer dependencies': faultsOfPeers,
};

const packed = packLibrary();
const red = [];
for (const [claim, check] of Object.entries(CHECKS)) {
  const faults = await check(packed);
  console.log(faults.length === 0 ? `${paint(32, 'ok')}      ${claim}` : `${paint(31, 'FAILED')}  ${claim}`);
  for (const fault of faults) console.log(fault.trimEnd().replaceAll(/^/gm, ' '.repeat(10)));
  if (faults.length > 0) red.push(claim);
}
const { name, version } = packed.manifest;
const passed = Object.keys(CHECKS).length - red.length;
console.log(`\n${name}@${version}, ${packed.files.length} files: ${passed} passed, ${red.length} failed`);
process.exitCode = red.length === 0 ? 0 : 1;
