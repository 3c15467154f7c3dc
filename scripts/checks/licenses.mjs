// npm run licenses compares THIRD_PARTY_LICENSES.md with package-lock.json. The command fails if the file differs, or if
// a production dependency has a license that production-licenses.mjs does not allow. With `-- --write`, the command
// writes the file.
import '../common/help.mjs';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { argumentsOf } from '../common/own-options.mjs';
import { paint } from '../common/processes.mjs';
import { publishedLibraries } from '../release/packed-library.mjs';
import { dependenciesOf, isAllowed, licensesOf, peersOf } from './production-licenses.mjs';

/** @typedef {import('./production-licenses.mjs').Licensed} Licensed */

const PAGE = 'THIRD_PARTY_LICENSES.md';
const LINE = 120;
const INTRODUCTION = `# Licenses of third-party packages

\`npm run licenses -- --write\` writes this page from package-lock.json. \`npm run lint\` compares the two, and refuses a
license that [production-licenses.mjs](scripts/checks/production-licenses.mjs) does not allow.
`;

const { values: flags } = argumentsOf({ options: { write: { type: 'boolean' } } });
process.chdir(resolve(import.meta.dirname, '../..'));

/** @type {import('./production-licenses.mjs').Lock} */
const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages;
const published = publishedLibraries().map((library) => relative(process.cwd(), library));
const services = readdirSync('apps').map((name) => `apps/${name}`);
const sections = new Map([
  ...published.map((library) => section(`Dependencies of ${library}`, dependenciesOf(lock, library))),
  section(
    'Peers that this repository installs',
    published.flatMap((library) => peersOf(lock, library)),
  ),
  section(
    'Dependencies of the services',
    services.flatMap((service) => dependenciesOf(lock, service)),
  ),
]);

const page = [INTRODUCTION, ...[...sections].map(([title, packages]) => `## ${title}\n\n${listOf(packages)}`)].join(
  '\n',
);
const refused = [...sections.values()].flat().filter(({ license }) => !isAllowed(license));
for (const { name, license } of refused) fail(`${name} has the license ${license}, which is not allowed`);
if (flags.write) writeFileSync(PAGE, page);
else if (readFileSync(PAGE, 'utf8') !== page)
  fail(`${PAGE} differs from package-lock.json: npm run licenses -- --write`);

/**
 * @param {string} title
 * @param {readonly string[]} folders
 * @returns {[string, Licensed[]]}
 */
function section(title, folders) {
  return [title, licensesOf(lock, folders)];
}

/** @param {readonly Licensed[]} packages */
function listOf(packages) {
  const licenses = [...new Set(packages.map(({ license }) => String(license)))].toSorted();
  const items = licenses.map((license) => {
    const names = packages.filter((one) => String(one.license) === license).map(({ name }) => name);
    return wrapped(`- ${license}: ${names.join(', ')}`);
  });
  return `${items.length === 0 ? 'None' : items.join('\n')}\n`;
}

/** @param {string} item */
function wrapped(item) {
  const lines = [''];
  for (const word of item.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line.length + 1 + word.length > LINE) lines.push(`  ${word}`);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join('\n');
}

/** @param {string} message */
function fail(message) {
  process.exitCode = 1;
  console.error(paint(31, message));
}
