import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { publishedLibraries } from './packed-library.mjs';
import { addressFields, isSet, repositoryAddress, SET_ADDRESS } from './repository-address.mjs';
import { placeholdersIn, textFiles } from './set-address.mjs';
import { VERSIONED_ALONE } from './version-edits.mjs';

/** @param {string} root @param {NodeJS.ProcessEnv} environment @returns {string[]} each fault with its cure */
export const faultsOfRelease = (root, environment) => [
  ...faultsOfAddress(root, environment),
  ...faultsOfVersions(root),
];

/** @param {string} root @param {NodeJS.ProcessEnv} environment @returns {string[]} */
export function faultsOfAddress(root, { GITHUB_SERVER_URL, GITHUB_REPOSITORY }) {
  const address = repositoryAddress(root);
  if (!isSet(address)) return [`the address of the repository is not set: ${SET_ADDRESS}`];
  // npm refuses a package whose provenance names another repository than its manifest.
  const running = GITHUB_REPOSITORY ? `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}` : address;
  if (running.toLowerCase() !== address.toLowerCase()) {
    return [`the address of the repository is ${address}, but the workflow runs in ${running}: ${SET_ADDRESS}`];
  }
  const cure = `npm run release:prepare -- ${address}`;
  return [
    ...published(root)
      .filter(({ folder, manifest }) => !hasFields(manifest, addressFields(address, folder)))
      .map(({ folder }) => `${folder}/package.json does not name the repository and its folder: ${cure}`),
    ...textFiles(root).flatMap((file) =>
      placeholdersIn(file, readFileSync(join(root, file), 'utf8')).map((one) => `${file} has ${one}: ${cure}`),
    ),
  ];
}

/** @param {string} root @returns {string[]} */
function faultsOfVersions(root) {
  const versions = versionsOf(root);
  return [
    ...(versions.length > 1
      ? [`the packages have different versions: ${versions.join(', ')}. Set the same version`]
      : []),
    ...versionsWithoutSection(root).map(
      (version) => `CHANGELOG.md has no section for ${version}: add the heading with a date below [Unreleased]`,
    ),
  ];
}

/** @param {string} root @returns {string[]} */
export function versionsWithoutSection(root) {
  const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
  return versionsOf(root).filter((version) => !changelog.includes(`\n## [${version}] - `));
}

/** @param {string} root @returns {string[]} */
export const versionsOf = (root) => [
  ...new Set(
    published(root)
      .filter(({ manifest }) => !VERSIONED_ALONE.includes(manifest.name))
      .map(({ manifest }) => manifest.version),
  ),
];

/** @param {string} root @returns {{ folder: string, manifest: import('./packed-library.mjs').Manifest }[]} */
export const published = (root) =>
  publishedLibraries(root).map((library) => ({
    folder: relative(root, library),
    manifest: JSON.parse(readFileSync(join(library, 'package.json'), 'utf8')),
  }));

/** @param {object} manifest @param {object} fields */
const hasFields = (manifest, fields) =>
  Object.entries(fields).every(([name, value]) => isDeepStrictEqual(Reflect.get(manifest, name), value));
