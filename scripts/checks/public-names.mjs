// Lists the public names of the libraries, from the reports in libs/*/api/, docs/metrics.md and the usage texts of the
// command line.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @typedef {Record<string, string>} PublicNames from `<place>: <name>` to a digest of the declaration, which is empty if
 *   the name alone is the contract
 */

export const SOURCES = ['libs/*/api/*', 'libs/*/package.json', 'libs/keycloak/src/cli', 'docs/metrics.md'];
const CLOSED_LIST = /(?:_REASONS|Code)$/;
const CLI = 'libs/keycloak/src/cli';

/** @param {string} root the folder of a checkout @returns {PublicNames} */
export function publicNames(root) {
  const libraries = readdirSync(join(root, 'libs')).filter((name) => existsSync(join(root, 'libs', name, 'api')));
  const names = [
    ...libraries.flatMap((library) => typesOf(join(root, 'libs', library))),
    ...metricsIn(readFileSync(join(root, 'docs/metrics.md'), 'utf8')),
    ...commandsIn(join(root, CLI)),
  ];
  return Object.fromEntries(names.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/** @param {string} library its folder @returns {[key: string, digest: string][]} */
function typesOf(library) {
  const { name } = JSON.parse(readFileSync(join(library, 'package.json'), 'utf8'));
  return readdirSync(join(library, 'api')).flatMap((file) => {
    const entry = file === 'index.txt' ? name : `${name}/${file.slice(0, -'.txt'.length)}`;
    return typesIn(readFileSync(join(library, 'api', file), 'utf8'), entry);
  });
}

/** @param {string} report @param {string} entry @returns {[key: string, digest: string][]} */
function typesIn(report, entry) {
  /** @type {Map<string, string>} */
  const declarations = new Map();
  for (const text of report.trim().split(/\n\n(?=\w)/)) {
    const [, name] =
      /^(?:export )?(?:declare )?(?:abstract )?(?:class|const|enum|function|interface|type) ([\w$]+)/.exec(text) ?? [];
    if (name === undefined) throw new Error(`The report of ${entry} has a declaration without a name: ${text}`);
    declarations.set(name, `${declarations.get(name) ?? ''}${text}`);
  }
  return [...declarations].flatMap(([name, text]) => [
    [`${entry}: ${name}`, createHash('sha256').update(text).digest('hex').slice(0, 8)],
    ...membersOf(name, text),
  ]);
}

/** @param {string} name @param {string} text @returns {[key: string, digest: string][]} */
function membersOf(name, text) {
  const isOptions = name.endsWith('Options') && text.startsWith('export interface');
  const options = isOptions ? text.matchAll(/^ {4}(?:readonly )?([\w$]+)\??[:(]/gm) : [];
  const values = CLOSED_LIST.test(name) ? text.matchAll(/["']([\w.-]+)["']/g) : [];
  return [
    ...Array.from(options, ([, member]) => named(`option of ${name}`, member)),
    ...Array.from(values, ([, value]) => named(`value of ${name}`, value)),
  ];
}

/** @param {string} page @returns {[key: string, digest: string][]} */
const metricsIn = (page) =>
  Array.from(page.matchAll(/`(keycloak_s2s\.[\w.]*\w)`/g), ([, name]) => named('metric or attribute', name));

/** @param {string} folder @returns {[key: string, digest: string][]} */
function commandsIn(folder) {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /(?<!\.spec)\.ts$/.test(file),
  );
  const sources = files.map((file) => readFileSync(join(folder, file), 'utf8'));
  const usages = sources.flatMap((source) => source.match(/`Usage: nestjs-keycloak-s2s \w[^`]*`/g) ?? []);
  return usages.flatMap((usage) => {
    const [, command = ''] = /s2s ([\w-]+)/.exec(usage) ?? [];
    const flags = Array.from(usage.matchAll(/(?:^ +|\[)(--[a-z-]+)/gm), ([, flag]) => flag);
    return [named('command', command), ...flags.map((flag) => named(`flag of ${command}`, flag))];
  });
}

/** @param {string} place @param {string | undefined} name @returns {[key: string, digest: string]} */
const named = (place, name) => [`${place}: ${name}`, ''];
