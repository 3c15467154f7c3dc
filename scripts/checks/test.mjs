// npm test builds the project and runs Jest with the given arguments. With --authorization-server=…, the command uses
// this server for the e2e and browser specs. With --complete, the command fails if a test can't run.
// test/support/run-report.mjs prints the server of a run and the skipped tests.
import '../common/help.mjs';
import { join } from 'node:path';
import { buildByTsc } from '../common/build.mjs';
import { findChromium, HOW_TO_GET_CHROMIUM } from '../common/chromium.mjs';
import { chooseServer, selectionLast, takeOptions } from '../common/own-options.mjs';
import { JEST, messageOf, paint, runNode, stopSignal } from '../common/processes.mjs';

const LINE = '='.repeat(100);

process.chdir(join(import.meta.dirname, '../..'));
const signal = stopSignal();
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = 1;
  if (!signal.aborted) console.error(paint(31, messageOf(error)));
}
if (signal.aborted) process.exitCode = 130;

/** @param {string[]} args */
async function main(args) {
  const { values, others } = takeOptions(args, {
    complete: { type: 'boolean' },
    'authorization-server': { type: 'string' },
  });
  const complete = values.complete === true;
  const choice = chooseServer(values['authorization-server'], process.env, complete ? 'keycloak' : 'available');
  say(
    `With a real Keycloak all tests take about 20 minutes on two cores, the unit tests (npm run test:unit) about three. Authorization server of e2e and browser specs: ${choice}`,
  );
  await buildByTsc({ signal });
  const chromium = findChromium(process.env);
  const withoutBrowser = chromium === undefined ? ['--ignoreProjects', 'browser'] : [];
  signal.throwIfAborted();
  const code = await runNode([...JEST, ...selectionLast(others), ...withoutBrowser], {
    env: { ...process.env, CHROMIUM_PATH: chromium, TEST_COMPLETE: String(complete) },
    signal,
  });
  if (chromium !== undefined || !wantsBrowser(others)) return code;
  const words = `THE BROWSER SPECS WERE NOT RUN: Chromium was not found.\n${HOW_TO_GET_CHROMIUM}`;
  console.error(paint(31, `\n${LINE}\n${words}\n${LINE}`));
  return code === 0 && complete ? 1 : code;
}

function wantsBrowser(/** @type {readonly string[]} */ args) {
  const selected = args.some((arg) => arg.startsWith('--selectProjects'));
  return !selected || args.some((arg) => /(^|=)browser$/.test(arg));
}

/** @param {string} line */
function say(line) {
  console.error(paint(2, line));
}
