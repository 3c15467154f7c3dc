// npm run doctor examines the processes of npm start, npm run poller and docker compose. With --admin, the command also
// reads the realm. All other flags are passed to the library's command.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { buildToRun } from '../common/build.mjs';
import { examineStack } from './examine-stack.mjs';
import { printSections, printSummary } from './print.mjs';
import { CLI, stacksToExamine } from './processes-to-examine.mjs';
import { messageOf, paint, runNode, stopSignal } from '../common/processes.mjs';
import { administratorToken } from '../start/running-keycloak.mjs';
import { DESCRIPTION } from '../start/services.mjs';

const COULD_NOT_RUN = 3;

process.chdir(join(import.meta.dirname, '../..'));
if (existsSync('.env')) process.loadEnvFile('.env');

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(paint(31, messageOf(error)));
  process.exitCode = COULD_NOT_RUN;
}

/** @param {readonly string[]} flags */
async function main(flags) {
  const names = [...Object.keys(DESCRIPTION.services), DESCRIPTION.poller.name];
  const built = [CLI, ...names.map((name) => `apps/${name}/dist/${name}.module.js`)];
  if (!built.every((file) => existsSync(file))) await buildToRun({ signal: stopSignal() });
  if (flags.includes('--help')) return runNode([CLI, 'doctor', '--help']);
  const { EXIT_CODES } = await import('../../libs/keycloak/dist/cli/report.js');
  const { worstOf } = await import('../../libs/keycloak/dist/checkup/finding.js');
  const isJson = flags.includes('--json');
  const others = flags.filter((flag) => flag !== '--json');
  const examined = [];
  for (const stack of await stacksToExamine(process.env)) {
    // Gets a new administrator token for each command of doctor, since a token expires after one minute.
    const variables = async () =>
      flags.includes('--admin')
        ? { KEYCLOAK_ADMIN_TOKEN: await administratorToken(process.env, stack.baseUrl) }
        : /** @type {NodeJS.ProcessEnv} */ ({});
    const sections = await examineStack(stack, others, variables);
    examined.push({ title: stack.title, sections });
    if (!isJson) await printSections(stack.title, sections);
  }
  const sections = examined.flatMap((stack) => stack.sections);
  const worst = worstOf(sections.flatMap(({ report }) => report.findings));
  if (isJson) console.log(JSON.stringify({ worst, stacks: examined }, undefined, 2));
  else printSummary(examined);
  return EXIT_CODES[worst];
}
