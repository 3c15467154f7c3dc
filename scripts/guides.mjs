// npm run guides: follows the guides in docs/ as a reader would, in folders outside the repository. With names, those only.
// --keycloak runs what needs a real Keycloak too; --keep leaves the folders.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { readGuide } from './guides-blocks.mjs';
import { followGuide } from './guides-follow.mjs';
import { GuideShell } from './guides-shell.mjs';
import { paint, stopSignal } from './processes.mjs';

const REPOSITORY = join(import.meta.dirname, '..');
/** What a clone is called, in the guides too. */
const CLONE = 'nestjs-keycloak-s2s';

process.chdir(REPOSITORY);
const { values: flags, positionals: names } = parseArgs({
  allowPositionals: true,
  options: { keycloak: { type: 'boolean' }, keep: { type: 'boolean' } },
});
const signal = stopSignal();
let leftOut = 0;

try {
  const guides = readGuides();
  const unknown = names.filter((name) => !guides.has(name));
  if (unknown.length > 0)
    throw new Error(`No such guide: ${unknown.join(', ')}. There are: ${[...guides.keys()].join(', ')}`);
  for (const row of rows(guides)) await followRow(row);
  if (leftOut > 0)
    console.log(`\n${leftOut} of the blocks need a real Keycloak, and were left out: npm run guides -- --keycloak`);
} catch (error) {
  process.exitCode = signal.aborted ? 130 : 1;
  if (!signal.aborted) console.error(`\n${paint(31, error.message)}`);
}
process.exit();

/** By the name of their files. */
function readGuides() {
  const documents = readdirSync('docs').filter((file) => file.endsWith('.md'));
  const read = documents.map((file) => [
    basename(file, '.md'),
    readGuide(readFileSync(join('docs', file), 'utf8'), `docs/${file}`),
  ]);
  return new Map(read.filter(([, guide]) => guide !== undefined));
}

/** The guides that are followed one after the other in one folder: each that was asked for, behind those it continues. */
function rows(guides) {
  const asked = names.length > 0 ? names : [...guides.keys()];
  const all = asked.map((name) => rowOf(name));
  // A row that another one begins with is followed there.
  return all.filter(
    (row, index) => !all.some((other, at) => at !== index && row.every((guide, step) => other[step] === guide)),
  );

  function rowOf(name) {
    const guide = guides.get(name);
    if (guide === undefined) throw new Error(`No such guide: ${name}`);
    return guide.continues === undefined ? [guide] : [...rowOf(guide.continues), guide];
  }
}

async function followRow(row) {
  const packed = packedFiles();
  const top = mkdtempSync(join(tmpdir(), 'guide-'));
  const state = mkdtempSync(join(tmpdir(), 'guide-shell-'));
  const clone = join(top, CLONE);
  if (row[0].copy) copyRepository(clone);
  else symlinkSync(REPOSITORY, clone);
  const shell = new GuideShell({ folder: row[0].copy ? clone : top, state, repository: REPOSITORY, signal });
  try {
    for (const guide of row) {
      console.log(paint(1, `\n${guide.document}, in ${shell.folder}`));
      await followGuide(guide, { shell, keycloak: flags.keycloak, onBlock });
    }
  } finally {
    await shell.stop();
    rmSync(state, { recursive: true });
    if (!flags.keep) {
      rmSync(top, { recursive: true });
      for (const name of packedFiles().filter((file) => !packed.includes(file))) rmSync(name);
    }
  }
}

/** What `npm pack` leaves in the repository. */
function packedFiles() {
  return readdirSync('.').filter((name) => name.endsWith('.tgz'));
}

function onBlock({ title, line, seconds, leftOut: isLeftOut }) {
  if (isLeftOut) leftOut += 1;
  console.log(
    `${String(line).padStart(5)}  ${title}${isLeftOut ? '  (left out)' : paint(2, `  ${seconds.toFixed(1)} s`)}`,
  );
}

/** What git has or would take, and the packages as they are installed. */
function copyRepository(to) {
  const { stdout } = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    encoding: 'utf8',
  });
  for (const path of stdout.split('\0').filter((name) => name !== '' && existsSync(name))) {
    mkdirSync(dirname(join(to, path)), { recursive: true });
    cpSync(path, join(to, path));
  }
  for (const folder of ['.', 'apps/*', 'libs/*'].flatMap(foldersOf)) {
    const packages = join(folder, 'node_modules');
    if (existsSync(packages)) cpSync(packages, join(to, packages), { recursive: true, verbatimSymlinks: true });
  }
}

function foldersOf(pattern) {
  if (!pattern.endsWith('/*')) return [pattern];
  const parent = pattern.slice(0, -2);
  return readdirSync(parent).map((name) => join(parent, name));
}
