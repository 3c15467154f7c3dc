// npm run verify:long runs the checks that take too long for every change. First, the command runs the timing specs
// many times with different seeds. Then the command runs the unit tests several times while all cores are busy. Then
// the command runs npm run chaos, the specs of replicas and upgrades, and npm run compat. A test that fails only once is
// also a defect. The options --specs (default 200), --suites (5), --minutes of chaos (10) and --compat (1) set the
// amounts. If an option is 0, the command skips the part of this option.
import '../common/help.mjs';
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { buildByTsc } from '../common/build.mjs';
import { argumentsOf } from '../common/own-options.mjs';
import { JEST, messageOf, paint, runNode, stopSignal } from '../common/processes.mjs';

const TIMING_SPECS = [
  'caching/',
  'resilience/',
  'libs/keycloak/src/http/',
  'revocation/',
  'client/.*token',
  'client/service-',
  'authorization-server/(cached-introspection|introspection|metadata|retries|server-|authorization-server|token-endpoint)',
  'diagnostics/',
  'resource-server/revoked-requests',
  'real/keycloak-archive',
  'fault-proxy/',
  'login/(signing-keys|session|user-sessions|pending-logins)',
  'connection-limits',
  'service-defaults/src/shutdown',
  'embedded/authorization-server',
  'held-tokens',
  'held-connections',
  'libs/keycloak/src/entry-points/(graphql|microservices|signals|websockets)/',
];
const LONG_REPLICAS = { ROLLING_RESTART: 'long', MODEL_SCHEDULES: '100' };
const REPLICA_SPECS = 'test/replicas/(balanced|model)';
const UPGRADE_SPECS = 'test/upgrade/';
const RESULTS = 'test-results/verify-long';
const LOAD = 'for (;;);';

process.chdir(join(import.meta.dirname, '../..'));
const signal = stopSignal();
try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode = signal.aborted ? 130 : 1;
  if (!signal.aborted) console.error(paint(31, messageOf(error)));
}

async function main() {
  const { values } = argumentsOf({
    options: {
      specs: { type: 'string', default: '200' },
      suites: { type: 'string', default: '5' },
      minutes: { type: 'string', default: '10' },
      compat: { type: 'string', default: '1' },
    },
  });
  const times = { specs: countOf('specs', values.specs), suites: countOf('suites', values.suites) };
  const minutes = countOf('minutes', values.minutes);
  const compatRuns = Array.from({ length: countOf('compat', values.compat) }, () => [[], ['--keycloak']]).flat();
  rmSync(RESULTS, { recursive: true, force: true });
  mkdirSync(RESULTS, { recursive: true });
  await buildByTsc({ signal });
  const specs = await repeat('specs', times.specs, [`--testPathPatterns=${TIMING_SPECS.join('|')}`]);
  const stopLoad = times.suites > 0 ? takeAllCores() : () => undefined;
  const suites = await repeat('suites', times.suites, []).finally(stopLoad);
  const seed = String(randomInt(1e9));
  const replicas = [
    minutes === 0
      ? 0
      : await runNode(['scripts/faults/chaos.mjs', `--minutes=${minutes}`, `--seed=${seed}`], { signal }),
    minutes === 0
      ? 0
      : await runNode(['scripts/faults/chaos.mjs', `--minutes=${minutes}`, `--seed=${seed}`, '--stale=60'], { signal }),
    await runE2e(REPLICA_SPECS, LONG_REPLICAS),
    await runE2e(UPGRADE_SPECS, { UPGRADE: 'long' }),
  ];
  /** @type {number[]} */
  const compat = [];
  for (const args of compatRuns) compat.push(await runNode(['compat/run.mjs', ...args], { signal }));
  console.log(`\nThe timing specs: ${specs.passed} passed, ${specs.failed} failed`);
  console.log(`The unit suite under load: ${suites.passed} passed, ${suites.failed} failed`);
  const inWords = (/** @type {number[]} */ codes) => codes.map((code) => (code === 0 ? 'passed' : 'failed')).join(', ');
  console.log(`Chaos with seed ${seed}, the specs of replicas, and of upgrades: ${inWords(replicas)}`);
  console.log(`npm run compat, alone and with each Keycloak: ${compat.length === 0 ? 'skipped' : inWords(compat)}`);
  return specs.failed + suites.failed === 0 && [...replicas, ...compat].every((code) => code === 0) ? 0 : 1;
}

/**
 * @param {string} name
 * @param {string} text
 */
function countOf(name, text) {
  if (!/^\d{1,4}$/.test(text)) throw new Error(`--${name}=${text}: must be a whole number up to 9999`);
  return Number(text);
}

/**
 * Stores a failed run's output, since it contains fast-check's seed and path.
 *
 * @param {string} name
 * @param {number} times
 * @param {readonly string[]} args
 */
async function repeat(name, times, args) {
  const counts = { passed: 0, failed: 0 };
  for (let at = 1; at <= times; at += 1) {
    const { code, output } = await runJest(args);
    signal.throwIfAborted();
    counts[code === 0 ? 'passed' : 'failed'] += 1;
    console.log(`${name} ${at} of ${times}: ${code === 0 ? 'passed' : paint(31, 'failed')}`);
    if (code === 0) continue;
    const file = join(RESULTS, `${name}-${at}.txt`);
    writeFileSync(file, output);
    console.log(output, `\n${file}`);
  }
  return counts;
}

/**
 * @param {string} specs
 * @param {Record<string, string>} environment
 */
function runE2e(specs, environment) {
  return runNode([...JEST, '--selectProjects=e2e', '--runInBand', `--testPathPatterns=${specs}`], {
    env: { ...process.env, ...environment },
    signal,
  });
}

/**
 * @param {readonly string[]} args
 * @returns {Promise<{ code: number | null, output: string }>}
 */
function runJest(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...JEST, '--selectProjects=unit', '--silent', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const stop = () => child.kill('SIGTERM');
    signal.addEventListener('abort', stop);
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    child.once('error', reject).once('close', (code) => {
      signal.removeEventListener('abort', stop);
      resolve({ code, output });
    });
  });
}

function takeAllCores() {
  const busy = Array.from({ length: availableParallelism() }, () =>
    spawn(process.execPath, ['-e', LOAD], { stdio: 'ignore' }),
  );
  const stop = () => busy.forEach((child) => child.kill('SIGKILL'));
  signal.addEventListener('abort', stop);
  process.once('exit', stop);
  return stop;
}
