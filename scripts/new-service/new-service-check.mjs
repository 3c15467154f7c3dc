// npm run new-service:check adds services to a copy of the repository, as docs/add-a-service.md describes. Then the
// command runs the checks on the copy. With --keep, the command does not delete the copy. The command needs a built
// repository with installed packages.
import '../common/help.mjs';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argumentsOf } from '../common/own-options.mjs';
import { paint } from '../common/processes.mjs';
import { copyRepository } from '../common/repository-copy.mjs';

const GUIDE = 'docs/add-a-service.md';
const SERVICES = [
  ['service-d', 'service-c'],
  ['service-e', 'service-d'],
  ['service-f', 'service-a'],
];

process.chdir(join(import.meta.dirname, '../..'));
const { values: flags } = argumentsOf({ options: { keep: { type: 'boolean' } } });
const copy = mkdtempSync(join(tmpdir(), 'new-service-'));
try {
  copyRepository(process.cwd(), copy, { built: true });
  run('git', ['init', '--quiet']);
  run('git', ['add', '--all']);
  for (const [name = '', caller = ''] of SERVICES) {
    run('npm', ['run', '--silent', 'new-service', '--', name, '--called-by', caller]);
    if (name === 'service-d') compareWithGuide();
  }
  run('npm', ['run', '--silent', 'typecheck']);
  run('npm', ['run', '--silent', 'lint']);
  run('node_modules/.bin/prettier', ['--check', '--ignore-unknown', ...changedFiles()]);
  const names = SERVICES.map(([name = '']) => name);
  const specs = [
    'apps/service-[c-f]',
    'service-a/src/login/session-requests',
    'test/repository/(realm|replicas|services|laws|kubernetes)',
  ];
  run('npm', ['run', '--silent', 'test:unit', '--', ...specs]);
  const e2e = ['--authorization-server=embedded', '--selectProjects=e2e', ...names.map((name) => `test/chain/${name}`)];
  run('npm', ['test', '--silent', '--', ...e2e]);
  const composeFiles = ['-f', 'docker-compose.yml', '-f', 'compose.replicas.yml'];
  if (spawnSync('docker', ['compose', 'version']).status === 0) {
    run('docker', ['compose', ...composeFiles, 'config', '--quiet']);
  } else console.log(paint(33, 'docker compose is not installed, so docker-compose.yml was not checked'));
} catch (error) {
  console.error(paint(31, error instanceof Error ? error.message : String(error)));
  process.exitCode = 1;
} finally {
  if (flags.keep) console.log(copy);
  else rmSync(copy, { recursive: true, force: true });
}

function changedFiles() {
  const options = ['ls-files', '--modified', '--others', '--exclude-standard', '-z'];
  return spawnSync('git', options, { cwd: copy, encoding: 'utf8' })
    .stdout.split('\0')
    .filter((path) => path !== '');
}

function compareWithGuide() {
  const blocks = [...readFileSync(GUIDE, 'utf8').matchAll(/^`([^`\n]+)`:\n\n```\w+\n([^]*?)^```$/gm)];
  if (blocks.length === 0) throw new Error(`${GUIDE} shows none of the generated files`);
  for (const [, path = '', shown = ''] of blocks) {
    const plain = (/** @type {string} */ text) =>
      text
        .split('\n')
        .map((line) => line.trim())
        .join('\n');
    const isThere =
      existsSync(join(copy, path)) && plain(readFileSync(join(copy, path), 'utf8')).includes(plain(shown));
    if (!isThere) throw new Error(`${GUIDE} shows lines of ${path} that the command does not write:\n${shown}`);
  }
  console.log(`${GUIDE} shows ${blocks.length} pieces, all up to date`);
}

/**
 * @param {string} command
 * @param {string[]} args
 */
function run(command, args) {
  const began = performance.now();
  const { status, signal } = spawnSync(command, args, { cwd: copy, stdio: 'inherit' });
  const words = [command, ...args].join(' ');
  if (status !== 0) throw new Error(`${words} failed: ${status ?? signal}`);
  console.log(paint(2, `${words}: ${((performance.now() - began) / 1000).toFixed(1)} s`));
}
