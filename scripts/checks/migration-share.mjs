// node scripts/checks/migration-share.mjs counts the lines that a person must change after the command
// migrate-from-nest-keycloak-connect, for two applications that were also migrated by hand. Run `npm run build` first.
import '../common/help.mjs';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');
const CLI = join(ROOT, 'libs/keycloak/dist/cli/cli.js');
const EXAMPLE = join(ROOT, 'libs/keycloak/spec-support/nest-keycloak-connect-example');
const CACHE = join(ROOT, 'node_modules/.cache');
const LIMIT = 1 / 3;

const APPLICATIONS = [
  { name: 'the example of nest-keycloak-connect 2.0', before: join(EXAMPLE, 'before'), after: join(EXAMPLE, 'after') },
  {
    name: 'examples/migrated',
    before: join(ROOT, 'examples/migrated/before/src'),
    after: join(ROOT, 'examples/migrated/src'),
  },
];

for (const { name, before, after } of APPLICATIONS) {
  mkdirSync(CACHE, { recursive: true });
  const home = mkdtempSync(join(CACHE, 'migration-'));
  try {
    for (const [folder, source] of Object.entries({ before, after, migrated: before }))
      copy(source, join(home, folder));
    const command = [CLI, 'migrate-from-nest-keycloak-connect', '--write', 'migrated'];
    const { status, stderr } = spawnSync(process.execPath, command, { cwd: home, encoding: 'utf8' });
    if (status === 3) throw new Error(stderr);
    const all = changedLines(home, 'before', 'after');
    const byHand = changedLines(home, 'migrated', 'after');
    console.log(`${name}: ${byHand} of ${all} changed lines by hand (${Math.round((100 * byHand) / all)} %)`);
    if (name !== 'examples/migrated' && byHand > all * LIMIT) process.exitCode = 1;
  } finally {
    rmSync(home, { recursive: true });
  }
}

/** @param {string} source @param {string} target */
function copy(source, target) {
  cpSync(source, target, { recursive: true });
  for (const entry of readdirSync(target, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && path.endsWith('.ts.txt')) renameSync(path, join(dirname(path), entry.name.slice(0, -4)));
  }
}

/**
 * @param {string} cwd
 * @param {string} one
 * @param {string} other
 */
function changedLines(cwd, one, other) {
  const diff = spawnSync('git', ['diff', '--no-index', '--numstat', one, other], { cwd, encoding: 'utf8' }).stdout;
  return diff
    .split('\n')
    .flatMap((line) => line.split('\t').slice(0, 2))
    .reduce((sum, count) => sum + Number(count), 0);
}
