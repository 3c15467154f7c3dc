import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ADDRESS = /^https:\/\/[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?\/(?<owner>[a-z0-9][a-z0-9-]*)\/(?<name>[\w.-]+)$/i;

/**
 * The address in every file until somebody sets the address. No host has this name (RFC 2606). The command would
 * replace an undivided text here.
 */
export const PLACEHOLDER = ['https://repository.invalid', 'owner', 'name'].join('/');
export const SET_ADDRESS = 'npm run release:prepare -- https://github.com/<owner>/<name>';

/**
 * Accepts also the forms that a browser or `git remote` shows, with `.git` or a slash at the end.
 *
 * @param {string} text @returns {string} `https://<host>/<owner>/<name>`
 * @throws {Error} for every other text, without repeating the text, which may contain a password
 */
export function parseAddress(text) {
  const address = text.replace(/\/$/, '').replace(/\.git$/, '');
  const { name } = ADDRESS.exec(address)?.groups ?? {};
  if (name === undefined || /^\.+$/.test(name) || !isSet(address)) {
    throw new Error(`This is not the https address of a repository on GitHub, or a server like it: ${SET_ADDRESS}`);
  }
  return address;
}

/** @param {string} root @returns {string} */
export function repositoryAddress(root) {
  const { repository } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const address = String(repository?.url ?? '').replace(/^git\+(.*)\.git$/, '$1');
  if (!ADDRESS.test(address)) throw new Error('`repository.url` in package.json must be git+https://….git');
  return address;
}

/** @param {string} address */
export const isSet = (address) => !new URL(address).hostname.endsWith('.invalid');

/** @param {string} address */
export const ownerOf = (address) => ADDRESS.exec(address)?.groups?.owner ?? '';

/** @param {string} address @param {string} directory of a package */
export const addressFields = (address, directory) => ({
  repository: { type: 'git', url: `git+${address}.git`, directory },
  homepage: `${address}/tree/HEAD/${directory}#readme`,
  bugs: `${address}/issues`,
});

/** @param {string} address @returns {RegExp} does not find longer names */
export const mentions = (address) =>
  new RegExp(`${address.replaceAll(/[.*+?^$\\{}()|[\]]/g, '\\$&')}(?![\\w-]|\\.(?!git(?![\\w-]))\\w)`, 'g');
