// Finds the production dependencies of a workspace in package-lock.json, with their licenses.
import { dirname } from 'node:path';

/**
 * @typedef {object} Locked what these functions read of an entry in package-lock.json
 * @property {string} [license] an SPDX expression
 * @property {string} [resolved] of a link: the folder of the workspace
 * @property {boolean} [link]
 * @property {Record<string, string>} [dependencies]
 * @property {Record<string, string>} [optionalDependencies]
 * @property {Record<string, string>} [peerDependencies]
 * @property {Record<string, { optional?: boolean }>} [peerDependenciesMeta]
 *
 * @typedef {Readonly<Record<string, Locked>>} Lock the entries by folder
 * @typedef {{ name: string, license: string | undefined }} Licensed
 */

/** These licenses set no conditions for the code of a product that uses the package. */
const ALLOWED = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
  'Python-2.0',
]);

/** @param {string | undefined} expression of SPDX; one with nested parentheses is refused */
export function isAllowed(expression = '') {
  const choices = expression.replace(/^\((.*)\)$/, '$1').split(' OR ');
  return choices.some((choice) => choice.split(' AND ').every((license) => ALLOWED.has(license)));
}

/**
 * Returns the folders of the packages that an installation of the workspace needs, without the workspace's own peers.
 *
 * @param {Lock} lock
 * @param {string} workspace its folder, such as `libs/keycloak`
 */
export function dependenciesOf(lock, workspace) {
  const folders = new Set([workspace]);
  for (const folder of folders) {
    const entry = lock[folder] ?? {};
    const peers = folder === workspace ? [] : peerNames(entry, 'required');
    for (const name of [...Object.keys(entry.dependencies ?? {}), ...peers]) {
      const installed = installedAt(lock, name, folder);
      if (installed === undefined) throw new Error(`package-lock.json lacks ${name}, which ${folder} needs`);
      folders.add(installed);
    }
    for (const name of Object.keys(entry.optionalDependencies ?? {})) {
      const installed = installedAt(lock, name, folder);
      if (installed !== undefined) folders.add(installed);
    }
  }
  return [...folders].filter((folder) => folder.includes('node_modules/'));
}

/**
 * Returns the folders of the workspace's own peers, as far as package-lock.json has them.
 *
 * @param {Lock} lock
 * @param {string} workspace
 */
export function peersOf(lock, workspace) {
  const folders = peerNames(lock[workspace] ?? {}, 'all').map((name) => installedAt(lock, name, workspace));
  // A package of this repository may be a peer of another.
  return folders.filter((folder) => folder !== undefined).filter((folder) => folder.includes('node_modules/'));
}

/**
 * @param {Lock} lock
 * @param {readonly string[]} folders
 * @returns {Licensed[]} each pair of name and license once, sorted by name
 */
export function licensesOf(lock, folders) {
  const pairs = folders.map((folder) => {
    const name = folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);
    return /** @type {const} */ ([`${name} ${lock[folder]?.license}`, { name, license: lock[folder]?.license }]);
  });
  return [...new Map(pairs).values()].toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

/** @param {Locked} entry @param {'required' | 'all'} kind */
function peerNames({ peerDependencies = {}, peerDependenciesMeta = {} }, kind) {
  return Object.keys(peerDependencies).filter((name) => kind === 'all' || !peerDependenciesMeta[name]?.optional);
}

/**
 * @param {Lock} lock @param {string} name @param {string} from
 * @returns {string | undefined}
 */
function installedAt(lock, name, from) {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = folder === '.' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    const found = lock[candidate];
    if (found !== undefined) return found.link ? found.resolved : candidate;
    if (folder === '.') return undefined;
  }
}
