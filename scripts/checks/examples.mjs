// npm run examples tests copies of the projects in examples/ with the packed libraries. With names of projects, the
// command runs only these projects. With --keycloak, the command also runs the end-to-end tests with a real Keycloak.
// With --keep, the command does not delete the folders.
import '../common/help.mjs';
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { argumentsOf } from '../common/own-options.mjs';
import { packLibrary, publishedLibraries } from '../release/packed-library.mjs';
import { paint, stopSignal } from '../common/processes.mjs';

const EXAMPLES = resolve(import.meta.dirname, '../../examples');
/** The variables that an example must not inherit: npm settings, the server, the port and the mode. */
const OURS = /^(npm_|INIT_CWD$|NODE_OPTIONS$|NODE_ENV$|AUTHORIZATION_SERVER$|KEYCLOAK_|DEMO_MODE$|PORT$)/i;
/** Later versions of testcontainers require Node.js 22. */
const FOR_DOCKER = 'testcontainers@11';
/** This number of examples runs at the same time, since an installation uses one core. */
const AT_ONCE = 2;

const { values: flags, positionals: names } = argumentsOf({
  allowPositionals: true,
  options: { keycloak: { type: 'boolean' }, keep: { type: 'boolean' } },
});
const signal = stopSignal();

try {
  const all = readdirSync(EXAMPLES, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [entry.name] : [],
  );
  const unknown = names.filter((name) => !all.includes(name));
  if (unknown.length > 0) throw new Error(`Unknown example: ${unknown.join(', ')}. Examples are: ${all.join(', ')}`);
  const tarballs = publishedLibraries().map((library) => packLibrary(library).tarball);
  const waiting = names.length > 0 ? [...names] : all;
  const ended = await Promise.allSettled(Array.from({ length: AT_ONCE }, () => tryOutEach(waiting, tarballs)));
  for (const one of ended) if (one.status === 'rejected') throw one.reason;
} catch (error) {
  process.exitCode = signal.aborted ? 130 : 1;
  if (!signal.aborted) console.error(`\n${paint(31, error instanceof Error ? error.message : String(error))}`);
}

/** @param {string[]} waiting @param {string[]} tarballs */
async function tryOutEach(waiting, tarballs) {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    try {
      await tryOut(name, tarballs);
    } catch (error) {
      waiting.length = 0;
      throw error;
    }
  }
}

/** @param {string} name @param {string[]} tarballs */
async function tryOut(name, tarballs) {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  const ignored = new Set(['node_modules', 'dist', 'package-lock.json'].map((one) => join(EXAMPLES, name, one)));
  cpSync(join(EXAMPLES, name), folder, { recursive: true, filter: (path) => !ignored.has(path) });
  const { scripts, devDependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  try {
    console.log(paint(2, `${name}: in ${folder}`));
    await npm(folder, ['install', ...tarballs]);
    for (const script of Object.keys(scripts).filter((one) => /^test(:|$)/.test(one)))
      await npm(folder, ['run', script]);
    if (!flags.keycloak || devDependencies['keycloak-test-servers'] === undefined) return;
    await npm(folder, ['install', '--save-dev', FOR_DOCKER]);
    const hasProjects = readFileSync(join(folder, 'package.json'), 'utf8').includes('jest');
    const project = hasProjects ? ['--', '--selectProjects', 'e2e'] : [];
    await npm(folder, ['test', ...project], { AUTHORIZATION_SERVER: 'keycloak' });
  } finally {
    if (!flags.keep) rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {string} folder @param {string[]} args @param {Record<string, string>} [environment] */
async function npm(folder, args, environment = {}) {
  signal.throwIfAborted();
  const began = performance.now();
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([key]) => !OURS.test(key)));
  const env = {
    ...inherited,
    npm_config_prefer_offline: 'true',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    ...environment,
  };
  const child = spawn('npm', args, { cwd: folder, env, signal, stdio: ['ignore', 'pipe', 'pipe'] });
  // The output is collected, since the output of two concurrent examples would be mixed.
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  const status = await new Promise((settle) => child.once('error', settle).once('close', settle));
  const command = `npm ${args.join(' ')}`;
  console.log(`${paint(1, `\n${command} in ${folder}`)}\n${output.trim()}`);
  if (status !== 0) throw new Error(`${command} failed in ${folder}: ${status}`);
  console.log(paint(2, `${command}: ${((performance.now() - began) / 1000).toFixed(1)} s`));
}
