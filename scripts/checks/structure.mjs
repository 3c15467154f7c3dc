// npm run structure counts the libraries' folders, their imports and their layers. The command fails if a count exceeds
// the limit in ARCHITECTURE.md, or if two folders import each other. With --list, the command prints the imports of
// each folder.
import '../common/help.mjs';
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { argumentsOf } from '../common/own-options.mjs';
import { paint } from '../common/processes.mjs';

/**
 * The limits for the folders and files directly below `root`, without specs.
 *
 * @type {readonly { root: string, folders: number, arrows: number, layers: number }[]}
 */
const LIMITS = [
  { root: 'libs/keycloak/src/', folders: 17, arrows: 89, layers: 9 },
  { root: 'libs/keycloak-test-servers/src/embedded/', folders: 15, arrows: 60, layers: 8 },
];
const DEPCRUISE = resolve(import.meta.dirname, '../../node_modules/dependency-cruiser/bin/dependency-cruise.mjs');

const { values: flags } = argumentsOf({ options: { list: { type: 'boolean' } } });
process.chdir(resolve(import.meta.dirname, '../..'));

for (const limits of LIMITS) {
  const imports = importsIn(limits.root);
  const layers = layersOf(imports);
  const counted = {
    folders: imports.size,
    arrows: [...imports.values()].reduce((sum, below) => sum + below.size, 0),
    layers: Math.max(...layers.values()),
  };
  if (flags.list) {
    for (const [folder, layer] of [...layers].toSorted(([, one], [, other]) => other - one)) {
      console.log(`${layer} ${folder} ─▶ ${[...(imports.get(folder) ?? [])].toSorted().join(', ')}`);
    }
  }
  const faults = Object.entries(counted).filter(([what, count]) => !(count <= Number(Object(limits)[what])));
  const text = Object.entries(counted).map(([what, count]) => `${count} ${what} (at most ${Object(limits)[what]})`);
  console.log(`${limits.root}: ${text.join(', ')}${faults.length === 0 ? '' : paint(31, ' too many')}`);
  if (faults.length > 0) process.exitCode = 1;
}

/**
 * @param {string} root
 * @returns {Map<string, Set<string>>}
 */
function importsIn(root) {
  const output = execFileSync(process.execPath, [DEPCRUISE, root, '--output-type', 'json'], {
    encoding: 'utf8',
    maxBuffer: 1e9,
  });
  /** @type {{ modules: { source: string, dependencies: { resolved: string }[] }[] }} */
  const { modules } = JSON.parse(output);
  /** @param {string} path */
  const isCounted = (path) => path.startsWith(root) && !path.endsWith('.spec.ts');
  /** @param {string} path */
  const placeOf = (path) => path.slice(root.length).split('/')[0] ?? '';
  /** @type {Map<string, Set<string>>} */
  const imports = new Map();
  for (const { source, dependencies } of modules.filter((module) => isCounted(module.source))) {
    const place = placeOf(source);
    const below = imports.get(place) ?? new Set();
    for (const { resolved } of dependencies) {
      if (isCounted(resolved) && placeOf(resolved) !== place) below.add(placeOf(resolved));
    }
    imports.set(place, below);
  }
  return imports;
}

/** @param {Map<string, Set<string>>} imports */
function layersOf(imports) {
  /** @type {Map<string, number>} */
  const layers = new Map();
  /** @param {string} folder @param {readonly string[]} above @returns {number} */
  const layerOf = (folder, above) => {
    if (above.includes(folder)) return Infinity;
    const known = layers.get(folder);
    if (known !== undefined) return known;
    const below = [...(imports.get(folder) ?? [])].map((each) => layerOf(each, [...above, folder]));
    const layer = 1 + Math.max(0, ...below);
    layers.set(folder, layer);
    return layer;
  };
  for (const folder of imports.keys()) layerOf(folder, []);
  return layers;
}
