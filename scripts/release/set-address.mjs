import { execFileSync } from 'node:child_process';
import { lstatSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { format, getFileInfo, resolveConfig } from 'prettier';
import { publishedLibraries } from './packed-library.mjs';
import { addressFields, isSet, mentions, ownerOf, PLACEHOLDER, repositoryAddress } from './repository-address.mjs';

const TOP_MANIFEST = 'package.json';
/** The placeholder of the maintainers is `@` and this name. */
const HANDLE = 'maintainers';
const WITH_HANDLES = new Set(['CODEOWNERS', 'MAINTAINERS', 'MAINTAINERS.md']);

/**
 * Replaces the address of the repository in every file of the repository, and the handle of the maintainers in
 * CODEOWNERS and MAINTAINERS. Adds the address to the manifests of published packages.
 *
 * @param {string} root @param {string} address
 * @param {string} [handle] such as `@owner/team`; without it, the new owner replaces the old owner
 * @returns {Promise<string[]>} the changed files
 */
export async function setAddress(root, address, handle) {
  const old = [PLACEHOLDER, repositoryAddress(root)];
  const manifests = publishedLibraries(root).map((library) => join(relative(root, library), 'package.json'));
  // The top manifest changes last, because the next run finds the old address in this manifest.
  const files = [...textFiles(root).filter((file) => file !== TOP_MANIFEST), TOP_MANIFEST];
  const changed = [];
  for (const file of files) {
    const before = readFileSync(join(root, file), 'utf8');
    let after = old.reduce((text, one) => text.replaceAll(mentions(one), () => address), before);
    if (WITH_HANDLES.has(basename(file))) after = withHandle(after, { old, address, handle });
    if (manifests.includes(file)) after = withFields(after, addressFields(address, dirname(file)));
    if (after === before) continue;
    writeFileSync(join(root, file), await formatted(root, file, after));
    changed.push(file);
  }
  return changed;
}

/** @param {string} root @returns {string[]} */
export function textFiles(root) {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
  const paths = execFileSync('git', args, { cwd: root, encoding: 'utf8' }).split('\0');
  return [...new Set(paths)].filter((path) => path !== '' && isText(join(root, path)));
}

/** @param {string} path */
function isText(path) {
  const isFile = lstatSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  return isFile && !readFileSync(path).includes(0);
}

/** @param {string} text @returns {string} @throws {Error} if GitHub has no such handle */
export function parseHandle(text) {
  if (!/^@[a-z\d][a-z\d-]*(?:\/[\w.-]+)?$/i.test(text)) throw new Error('--maintainers must be @user or @owner/team');
  return text;
}

/** @param {string} file @param {string} text @returns {string[]} */
export function placeholdersIn(file, text) {
  const handles = WITH_HANDLES.has(basename(file)) ? (text.match(handlesOf(HANDLE)) ?? []) : [];
  return [...new Set([...(text.match(mentions(PLACEHOLDER)) ?? []), ...handles])];
}

/** @param {string} text @param {{ old: string[], address: string, handle: string | undefined }} change */
function withHandle(text, { old, address, handle }) {
  const owner = ownerOf(address);
  return [HANDLE, ...old.filter(isSet).map(ownerOf)].reduce(
    (before, one) => before.replaceAll(handlesOf(one), (_, team) => handle ?? `@${owner}${team}`),
    text,
  );
}

/** @param {string} name */
const handlesOf = (name) => new RegExp(`(?<![\\w-])@${name}(/[\\w.-]+|(?![\\w-]))`, 'gi');

/** @param {string} text of a manifest @param {Record<string, unknown>} fields */
const withFields = (text, fields) => `${JSON.stringify({ ...JSON.parse(text), ...fields }, null, 2)}\n`;

/** @param {string} root @param {string} file @param {string} text */
async function formatted(root, file, text) {
  const path = join(root, file);
  const { ignored, inferredParser } = await getFileInfo(path, { ignorePath: join(root, '.prettierignore') });
  return ignored || inferredParser === null ? text : format(text, { ...(await resolveConfig(path)), filepath: path });
}
