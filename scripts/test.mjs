// npm test: builds, starts an authorization server for the e2e and browser specs, and runs Jest with the arguments given. It
// says last what it ran against and what it left out. --authorization-server=… chooses the server; with --complete what can't be
// run is a failure.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chooseServer, nameOf, startServer } from './authorization-server.mjs';
import { buildByTsc } from './build.mjs';
import { findChromium, HOW_TO_GET_CHROMIUM } from './chromium.mjs';
import { JEST, selectedProjects, takeFlag, takeOption, withoutSelection } from './jest-arguments.mjs';
import { freePort, paint, runNode, stopSignal } from './processes.mjs';
import { realmEnvironment, REALM } from './services.mjs';
import { linesOf } from './skipped-tests.mjs';

/** Those of jest.config.ts. */
const PROJECTS = ['unit', 'e2e', 'browser'];
const needsServer = (project) => project !== 'unit';
/** Those that the server at hand can't pass, each by its full name. */
const SKIPPED_FILE = 'test-results/skipped-tests.txt';
const SKIPPED_JSON = 'test-results/skipped-tests.json';
const LINE = '='.repeat(100);

process.chdir(join(import.meta.dirname, '..'));
// As Jest has it; the embedded server is started here.
process.env.NODE_ENV ||= 'test';
const signal = stopSignal();
/** For each kind of spec that could not be run, which and why. */
const leftOut = [];
let server;

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = 1;
  if (!signal.aborted) console.error(paint(31, error.message));
}
await server?.stop();
if (signal.aborted) process.exitCode = 130;
process.exit();

async function main(args) {
  const [complete, otherArgs] = takeFlag(args, 'complete');
  const [option, jestArgs] = takeOption(otherArgs, 'authorization-server');
  const choice = chooseServer(option, { variable: 'TEST_KEYCLOAK_BASE_URL', environment: process.env });
  await buildByTsc({ signal });
  const asked = selectedProjects(jestArgs);
  let projects = asked.length > 0 ? asked : PROJECTS;
  const chromium = findChromium(process.env);
  if (projects.includes('browser') && chromium === undefined) {
    leaveOut(['browser'], `there is no Chromium to run them in.\n${HOW_TO_GET_CHROMIUM}`);
    projects = projects.filter((project) => project !== 'browser');
  }
  const against = projects.some(needsServer) ? await someServer(choice, { fallBack: !complete }) : {};
  if (against.unavailable !== undefined) {
    leaveOut(projects.filter(needsServer), `there is no Keycloak to run them against.\n${against.unavailable}`);
    projects = projects.filter((project) => !needsServer(project));
  }
  // Nothing left of what was asked for is a failure in any case.
  const code = projects.length > 0 ? await runJest(projects, jestArgs, { ...against.env, CHROMIUM_PATH: chromium }) : 1;
  const skipped = server === undefined ? 0 : tellSkipped();
  if (server !== undefined) console.log(`\nRan against ${nameOf(server)}${choice.by ? ` (${choice.by})` : ''}.`);
  if (server?.standsIn) console.log(paint(33, server.standsIn));
  for (const words of leftOut) console.error(paint(31, `\n${LINE}\n${words}\n${LINE}`));
  return code === 0 && complete && (leftOut.length > 0 || skipped > 0) ? 1 : code;
}

function leaveOut(projects, why) {
  leftOut.push(`THE ${projects.join(' AND ').toUpperCase()} SPECS WERE NOT RUN: ${why}`);
}

/** The server that was chosen, or what this machine has; or the reason why there is none. */
async function someServer(choice, { fallBack }) {
  const serviceAPort = await freePort();
  try {
    server = await startServer(choice, {
      realm: REALM,
      realmEnvironment: realmEnvironment({}, serviceAPort),
      fallBack,
      say: (line) => console.log(paint(2, line)),
      signal,
    });
  } catch (error) {
    if (error.name !== 'KeycloakUnavailableError') throw error;
    return {
      unavailable: `${error.message}\nOr run them against the embedded server: --authorization-server=embedded`,
    };
  }
  if (server.standsIn) console.log(paint(33, server.standsIn));
  const external = server.kind === 'external';
  return {
    env: {
      TEST_KEYCLOAK_BASE_URL: server.baseUrl,
      TEST_KEYCLOAK_KIND: (external && process.env.TEST_KEYCLOAK_KIND) || server.kind,
      // The address of Service A that the realm's redirects and logout notices go to. Who runs already was told another.
      ...(external ? {} : { TEST_SERVICE_A_URL: `http://localhost:${serviceAPort}` }),
    },
  };
}

function runJest(projects, jestArgs, env) {
  signal.throwIfAborted();
  for (const file of [SKIPPED_JSON, SKIPPED_FILE]) rmSync(file, { force: true });
  mkdirSync('test-results', { recursive: true });
  const reporters = ['--reporters=./scripts/skipped-tests.mjs'];
  if (!jestArgs.some((arg) => arg.startsWith('--reporters'))) reporters.unshift('--reporters=default');
  // Last, because Jest takes every word behind them for a reporter or a project, the path of a test too.
  const args = [...withoutSelection(jestArgs), ...reporters, '--selectProjects', ...projects];
  return runNode([...JEST, ...args], {
    env: { ...process.env, ...env, SKIPPED_TESTS_FILE: SKIPPED_JSON },
    signal,
  });
}

/** Gives how many there are. */
function tellSkipped() {
  // Jest ran nothing, or some by name (-t) only.
  if (!existsSync(SKIPPED_JSON)) return 0;
  const skipped = JSON.parse(readFileSync(SKIPPED_JSON, 'utf8'));
  const names = skipped.flatMap(({ suite, names: ofGroup }) => ofGroup.map((name) => `${suite}: ${name}`));
  writeFileSync(SKIPPED_FILE, names.map((name) => `${name}\n`).join(''));
  if (names.length === 0) return 0;
  const needed = { embedded: 'a real Keycloak, or ', external: 'a Keycloak that npm test starts itself, or ' };
  console.log(
    `\n${names.length} tests were skipped, which need ${needed[server.kind] ?? ''}a tool that is not here (each by name in ${SKIPPED_FILE}):`,
  );
  for (const line of linesOf(skipped)) console.log(`  ${line}`);
  return names.length;
}
