// npm run checklist prints the tests of each security requirement. The command fails if a requirement has no test.
import '../common/help.mjs';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { argumentsOf } from '../common/own-options.mjs';
import { paint } from '../common/processes.mjs';
import { checkRequirements } from './requirements.mjs';

const DOCUMENT = 'docs/security-requirements.md';
const FOLDERS = ['apps', 'libs', 'test'];
const SPEC = /([.-]spec|-cases)\.ts$/;
const NOT_OURS = /(^|\/)(node_modules|dist)\//;

argumentsOf({ options: {} });

process.chdir(join(import.meta.dirname, '../..'));
const specs = new Map(FOLDERS.flatMap(specsBelow).map((path) => [path, readFileSync(path, 'utf8')]));
const { requirements, missing, unknown } = checkRequirements(readFileSync(DOCUMENT, 'utf8'), specs);

for (const requirement of requirements) print(requirement);
for (const id of missing) console.log(paint(31, `${id} has no test`));
for (const [id, [path]] of unknown) console.log(paint(31, `${id} is not a requirement, but ${path} names it`));
console.log(`\n${requirements.length - missing.length} of ${requirements.length} requirements have a test.`);
process.exitCode = missing.length + unknown.length > 0 ? 1 : 0;

/** @param {string} folder */
function specsBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && SPEC.test(entry.name))
    .map((entry) => relative('.', join(entry.parentPath, entry.name)))
    .filter((path) => !NOT_OURS.test(path));
}

/** @param {ReturnType<typeof checkRequirements>['requirements'][number]} requirement */
function print({ id, requirement, tests }) {
  const count = String(tests.length || '-').padStart(3);
  const files = [...new Set(tests)].map((path) => path.split('/').at(-1)).join(', ');
  console.log(`${id} ${count}  ${requirement}`);
  if (files !== '') console.log(`           ${paint(2, files)}`);
}
