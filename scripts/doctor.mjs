// npm run doctor: looks at each of the three services as npm start runs them. --admin reads the realm too; other flags go to doctor.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { buildToRun } from './build.mjs';
import { messageOf, paint, runNode, stopSignal } from './processes.mjs';
import { administratorToken, runningKeycloak } from './running-keycloak.mjs';
import { serviceEnvironment, services } from './services.mjs';

const CLI = 'libs/keycloak/dist/doctor/cli.js';
const COULD_NOT_RUN = 3;

process.chdir(join(import.meta.dirname, '..'));
if (existsSync('.env')) process.loadEnvFile('.env');

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(paint(31, messageOf(error)));
  process.exitCode = COULD_NOT_RUN;
}

/**
 * The worst exit code of all.
 *
 * @param {readonly string[]} flags
 */
async function main(flags) {
  const all = services(process.env);
  const built = [CLI, ...all.map(moduleOf)];
  if (!built.every((file) => existsSync(file))) await buildToRun({ signal: stopSignal() });
  const keycloak = runningKeycloak(process.env);
  let worst = 0;
  for (const service of all.toReversed()) {
    const environment = serviceEnvironment(service, { all, keycloak, environment: process.env });
    // A minute is all that an administrator's token lives.
    const admin = flags.includes('--admin')
      ? { KEYCLOAK_ADMIN_TOKEN: await administratorToken(process.env, keycloak.baseUrl) }
      : {};
    // That is of the whole realm.
    const once = service === all[0] ? [] : ['--no-permitted-calls'];
    const args = [CLI, 'doctor', '--module', moduleOf(service), ...once, ...flags];
    worst = Math.max(worst, await runNode(args, { env: { ...environment, ...admin } }));
    if (!flags.includes('--json')) console.log();
  }
  return worst;
}

/** @param {{ name: string }} service */
function moduleOf({ name }) {
  return `apps/${name}/dist/${name}.module.js`;
}
