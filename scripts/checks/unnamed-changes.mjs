import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publicNames, SOURCES } from './public-names.mjs';

/**
 * @typedef {import('./public-names.mjs').PublicNames} PublicNames
 * @typedef {{ key: string, what: 'added' | 'changed' | 'removed' }} Change
 */

export const FIRST_NAMES = 'scripts/checks/first-names.json';
const HEADING = /^## \[(\d[^\]]*)\]/gm;

/** @param {string} root the folder of a checkout */
export function unnamedChanges(root) {
  const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
  const versions = Array.from(changelog.matchAll(HEADING), ([, version]) => String(version));
  const released = versions.find((version) => hasTag(root, `v${version}`));
  const first = JSON.parse(readFileSync(join(root, FIRST_NAMES), 'utf8'));
  const [base, before] =
    released === undefined ? [first.commit, first.names] : [`v${released}`, namesAt(root, `v${released}`)];
  const changes = changesBetween(before, publicNames(root));
  const names = namesIn(
    released === undefined ? changelog : changelog.slice(0, changelog.indexOf(`\n## [${released}]`)),
  );
  return {
    base,
    note: released === undefined && versions.length > 0 ? noteOf(String(versions[0]), first.commit) : undefined,
    changed: changes.length,
    unnamed: changes.filter(({ key }) => !names.has(key.slice(key.indexOf(': ') + ': '.length))),
  };
}

/** @param {string} version @param {string} commit */
const noteOf = (version, commit) =>
  `This clone has no tag v${version}. If the tag exists: git fetch --depth=1 origin tag v${version}\n` +
  `Without the tag, all sections of CHANGELOG.md count, for the changes since ${commit}.`;

/**
 * Omits the members of a declaration or command that itself was added or removed.
 *
 * @param {PublicNames} before @param {PublicNames} now @returns {Change[]}
 */
export function changesBetween(before, now) {
  const placeOf = (/** @type {string} */ key) => key.slice(0, key.indexOf(': '));
  const [had, has] = [before, now].map((names) => new Set(Object.keys(names).map(placeOf)));
  const stays = (/** @type {string} */ key) => had?.has(placeOf(key)) === has?.has(placeOf(key));
  const keys = [...new Set([...Object.keys(before), ...Object.keys(now)])].filter((key) => before[key] !== now[key]);
  return keys
    .filter((key) => !/^(?:flag|option|value) of /.test(key) || stays(key))
    .map((key) => ({ key, what: !(key in before) ? 'added' : key in now ? 'changed' : 'removed' }));
}

/** Returns all words between backquotes, with and without their dots. @param {string} text */
export function namesIn(text) {
  const spans = text.replaceAll(/^```[^]*?^```$/gm, '').match(/`[^`]+`/g) ?? [];
  return new Set(spans.flatMap((span) => [...span.split(/[^\w$.-]+/), ...span.split(/[^\w$-]+/)]));
}

/** @param {string} root @param {string} tag */
function hasTag(root, tag) {
  try {
    git(root, 'rev-parse', '--verify', '--quiet', `refs/tags/${tag}^{tree}`);
    return true;
  } catch {
    return false;
  }
}

/** @param {string} root @param {string} tag @returns {PublicNames} */
function namesAt(root, tag) {
  const folder = mkdtempSync(join(tmpdir(), 'released-'));
  try {
    const archive = git(root, 'archive', '--format=tar', tag, '--', ...SOURCES);
    execFileSync('tar', ['-x', '-C', folder], { input: archive });
    return publicNames(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @param {string} root @param {string[]} args */
const git = (root, ...args) =>
  execFileSync('git', args, { cwd: root, maxBuffer: 1e9, stdio: ['ignore', 'pipe', 'ignore'] });
