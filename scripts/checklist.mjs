// npm run checklist: which security requirements have a test, and which have none. With --planned it lists later ones too.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { paint } from './processes.mjs';
import { idsIn, readRequirements, titlesIn } from './requirements.mjs';

const DOCUMENT = 'docs/security-requirements.md';
const FOLDERS = ['apps', 'libs', 'test'];
// The cases are what contract specs consist of.
const SPEC = /([.-]spec|-cases)\.ts$/;
const NOT_OURS = /(^|\/)(node_modules|dist)\//;

const unknownArguments = process.argv.slice(2).filter((argument) => argument !== '--planned');
if (unknownArguments.length > 0) {
  console.error(`Unknown: ${unknownArguments.join(' ')}. The one option is --planned.`);
  process.exit(2);
}
const withPlanned = process.argv.includes('--planned');

const requirements = readRequirements(readFileSync(DOCUMENT, 'utf8'));
/** ID → the files of the tests that name it, one entry a title. */
const tests = new Map();
for (const path of FOLDERS.flatMap(specsBelow)) {
  for (const id of titlesIn(path, readFileSync(path, 'utf8')).flatMap(idsIn)) {
    tests.set(id, [...(tests.get(id) ?? []), path]);
  }
}

const testsOf = ({ id }) => tests.get(id) ?? [];
for (const requirement of requirements) {
  if (requirement.status === 'due' || withPlanned) console.log(lineOf(requirement));
}
const missing = requirements.filter((requirement) => requirement.status === 'due' && testsOf(requirement).length === 0);
const unknown = [...tests].filter(([id]) => !requirements.some((requirement) => requirement.id === id));

console.log();
for (const { id } of missing) console.log(paint(31, `${id} is due and has no test`));
for (const [id, paths] of unknown) console.log(paint(31, `${id} is no requirement; named in ${paths[0]}`));
const due = requirements.filter(({ status }) => status === 'due').length;
console.log(`${due - missing.length} of ${due} due requirements have a test.`);
process.exitCode = missing.length + unknown.length > 0 ? 1 : 0;

function specsBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && SPEC.test(entry.name))
    .map((entry) => relative('.', join(entry.parentPath, entry.name)))
    .filter((path) => !NOT_OURS.test(path));
}

function lineOf(requirement) {
  const found = testsOf(requirement);
  const count =
    found.length === 0 ? paint(requirement.status === 'due' ? 31 : 2, '  -') : String(found.length).padStart(3);
  const status = requirement.status === 'due' ? '' : ` (${requirement.status})`;
  const where = [...new Set(found)].map((path) => path.split('/').at(-1)).join(', ');
  return [
    `${requirement.id} ${count}  ${requirement.requirement}${status}`,
    ...(where === '' ? [] : [`           ${paint(2, where)}`]),
  ].join('\n');
}
