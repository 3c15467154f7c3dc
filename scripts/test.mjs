// npm test: builds, starts a real Keycloak for the e2e specs, and runs Jest with the arguments given.
import { join } from 'node:path';
import { freePort, paint, runNode, stopSignal } from './processes.mjs';
import { realmEnvironment, REALM_FILE } from './services.mjs';

const JEST = ['--experimental-vm-modules', '--no-warnings=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];

process.chdir(join(import.meta.dirname, '..'));
const signal = stopSignal();
const jestArgs = process.argv.slice(2);
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
  const projects = selectedProjects(jestArgs);
  if (projects.length > 0 && !projects.includes('e2e')) return runJest(jestArgs, {});
  const external = process.env.TEST_KEYCLOAK_BASE_URL;
  if (external) {
    const code = await runJest(jestArgs, { TEST_KEYCLOAK_KIND: process.env.TEST_KEYCLOAK_KIND || 'external' });
    return concluding(code, `Ran against the Keycloak at ${external} (TEST_KEYCLOAK_BASE_URL).`);
  }
  const serviceAPort = await freePort();
  const unavailable = await startKeycloakFor(serviceAPort);
  if (unavailable !== undefined) return withoutKeycloak(unavailable, projects);
  const code = await runJest(jestArgs, {
    TEST_KEYCLOAK_BASE_URL: keycloak.baseUrl,
    TEST_KEYCLOAK_KIND: keycloak.kind,
    // The address of Service A that the realm's redirects and logout notices go to.
    TEST_SERVICE_A_URL: `http://localhost:${serviceAPort}`,
  });
  const where = keycloak.kind === 'docker' ? 'in Docker' : 'from its distribution';
  return concluding(code, `Ran against Keycloak ${keycloak.version} ${where}.`);
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

async function withoutKeycloak(reason, projects) {
  const onlyE2e = projects.length > 0 && !projects.includes('unit');
  const rest = withoutSelection(jestArgs);
  const code = onlyE2e ? 1 : await runJest([...rest, '--selectProjects', 'unit'], {});
  const line = '='.repeat(100);
  console.error(
    paint(31, `\n${line}\nTHE E2E SPECS WERE NOT RUN: there is no Keycloak to run them against.\n${reason}\n${line}`),
  );
  return code === 0 && process.env.CI === 'true' ? 1 : code;
}

function runJest(args, env) {
  signal.throwIfAborted();
  // Last, because Jest takes every word behind it for a project, the path of a test too.
  const projects = selectedProjects(args);
  const selection = projects.length > 0 ? ['--selectProjects', ...projects] : [];
  return runNode([...JEST, ...withoutSelection(args), ...selection], { env: { ...process.env, ...env }, signal });
}

function concluding(code, line) {
  console.log(`\n${line}`);
  return code;
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
