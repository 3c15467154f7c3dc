import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';
import { isSet, repositoryAddress } from '../../scripts/release/repository-address.mjs';

export const ROOT = resolve(import.meta.dirname, '../..');

/** `npm pack` copies AGENTS.md. The last one lists entry points by the names of their folders. */
export const NOT_PAGES = [
  '**/{node_modules,dist,coverage,test-results,results}/**',
  '{compat,examples,scripts}/*/**',
  'libs/keycloak/AGENTS.md',
  'docs/api/nestjs-keycloak-s2s/index.md',
];

/** @param {string} file for example `docs/realm.md` @returns {string} for example `realm.md` */
export function pageOf(file) {
  if (file === 'README.md') return 'index.md';
  if (file === 'docs/README.md') return 'documentation.md';
  if (!file.includes('/')) return file.toLowerCase();
  return file.replace(/^docs\//, '').replace(/\/README\.md$/, '.md');
}

/**
 * Returns the Markdown file of the page for a path of the repository: the file itself, the README of a folder, or the
 * first file of a folder without a README.
 *
 * @param {string} path
 */
export function markdownAt(path) {
  if (path.startsWith('.')) return undefined;
  if (path.endsWith('.md')) return existsSync(join(ROOT, path)) ? path : undefined;
  if (!isFolder(path)) return undefined;
  const files = readdirSync(join(ROOT, path)).toSorted();
  const first = files.find((name) => name === 'README.md') ?? files.find((name) => name.endsWith('.md'));
  return first === undefined ? undefined : posix.join(path, first);
}

/** @param {string} path */
export const isFolder = (path) => existsSync(join(ROOT, path)) && statSync(join(ROOT, path)).isDirectory();

/** @param {string} file */
export const read = (file) => readFileSync(join(ROOT, file), 'utf8');

/** @param {string} file */
export const titleOf = (file) => /^# (.+)$/m.exec(read(file))?.[1] ?? file;

/**
 * Returns `repository.url` of package.json, and undefined while no host has this address (RFC 2606).
 *
 * @returns {string | undefined}
 */
export function addressIfSet() {
  const address = repositoryAddress(ROOT);
  return isSet(address) ? address : undefined;
}
