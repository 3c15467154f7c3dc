// npm test: builds, starts a real Keycloak for the e2e and browser specs, and runs Jest with the arguments given.
import { join } from 'node:path';
import { findChromium, HOW_TO_GET_CHROMIUM } from './chromium.mjs';
import { freePort, paint, runNode, stopSignal } from './processes.mjs';
import { realmEnvironment, REALM_FILE } from './services.mjs';

const JEST = ['--experimental-vm-modules', '--no-warnings=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];
/** Those of jest.config.ts. */
const PROJECTS = ['unit', 'e2e', 'browser'];
const needsKeycloak = (project) => project !== 'unit';
const LINE = '='.repeat(100);

process.chdir(join(import.meta.dirname, '..'));
const signal = stopSignal();
const jestArgs = process.argv.slice(2);
/** For each kind of spec that could not be run, which and why. */
const leftOut = [];
let keycloak;

try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode = 1;
  if (!signal.aborted) console.error(paint(31, error.message));
}
await keycloak?.stop();
if (signal.aborted) process.exitCode = 130;
process.exit();

async function main() {
  if ((await runNode(['node_modules/typescript/bin/tsc', '-b'], { signal })) !== 0) throw new Error('The build failed');
  signal.throwIfAborted();
  const asked = selectedProjects(jestArgs);
  let projects = asked.length > 0 ? asked : PROJECTS;
  const chromium = findChromium(process.env);
  if (projects.includes('browser') && chromium === undefined) {
    leaveOut(['browser'], `there is no Chromium to run them in.\n${HOW_TO_GET_CHROMIUM}`);
    projects = projects.filter((project) => project !== 'browser');
  }
  const against = projects.some(needsKeycloak) ? await someKeycloak() : {};
  if (against.unavailable !== undefined) {
    leaveOut(projects.filter(needsKeycloak), `there is no Keycloak to run them against.\n${against.unavailable}`);
    projects = projects.filter((project) => !needsKeycloak(project));
  }
  // Nothing left of what was asked for is a failure; with the rest, only where everything must have run.
  const code = projects.length > 0 ? await runJest(projects, { ...against.env, CHROMIUM_PATH: chromium }) : 1;
  if (against.where !== undefined) console.log(`\nRan against ${against.where}.`);
  for (const words of leftOut) console.error(paint(31, `\n${LINE}\n${words}\n${LINE}`));
  return code === 0 && leftOut.length > 0 && process.env.CI === 'true' ? 1 : code;
}

function leaveOut(projects, why) {
  leftOut.push(`THE ${projects.join(' AND ').toUpperCase()} SPECS WERE NOT RUN: ${why}`);
}

/** One that runs already, or one of ours; or the reason why there is none. */
async function someKeycloak() {
  const external = process.env.TEST_KEYCLOAK_BASE_URL;
  if (external) {
    const env = { TEST_KEYCLOAK_KIND: process.env.TEST_KEYCLOAK_KIND || 'external' };
    return { env, where: `the Keycloak at ${external} (TEST_KEYCLOAK_BASE_URL)` };
  }
  const serviceAPort = await freePort();
  const unavailable = await startKeycloakFor(serviceAPort);
  if (unavailable !== undefined) return { unavailable };
  const env = {
    TEST_KEYCLOAK_BASE_URL: keycloak.baseUrl,
    TEST_KEYCLOAK_KIND: keycloak.kind,
    // The address of Service A that the realm's redirects and logout notices go to.
    TEST_SERVICE_A_URL: `http://localhost:${serviceAPort}`,
  };
  const how = keycloak.kind === 'docker' ? 'in Docker' : 'from its distribution';
  return { env, where: `Keycloak ${keycloak.version} ${how}` };
}

/** Resolves with the reason when there is nothing to run a Keycloak with. */
async function startKeycloakFor(serviceAPort) {
  // Only there once it is built.
  const { startKeycloak } = await import('../libs/keycloak/dist/testing/index.js');
  try {
    keycloak = await startKeycloak({
      realm: REALM_FILE,
      environment: realmEnvironment({}, serviceAPort),
      onProgress: (line) => console.log(paint(2, line)),
      signal,
    });
    return undefined;
  } catch (error) {
    if (error.name === 'KeycloakUnavailableError') return error.message;
    throw error;
  }
}

function runJest(projects, env) {
  signal.throwIfAborted();
  // Last, because Jest takes every word behind it for a project, the path of a test too.
  const args = [...withoutSelection(jestArgs), '--selectProjects', ...projects];
  return runNode([...JEST, ...args], { env: { ...process.env, ...env }, signal });
}

/** The values of Jest's --selectProjects, which takes all words up to the next option. */
function selectedProjects(args) {
  return args.flatMap((arg, index) => {
    if (arg.startsWith('--selectProjects=')) return [arg.slice('--selectProjects='.length)];
    return belongsToSelection(args, index) && arg !== '--selectProjects' ? [arg] : [];
  });
}

function withoutSelection(args) {
  return args.filter((arg, index) => !arg.startsWith('--selectProjects') && !belongsToSelection(args, index));
}

function belongsToSelection(args, index) {
  const option = args.slice(0, index + 1).findLast((arg) => arg.startsWith('-'));
  return option === '--selectProjects';
}
