// npm run poller builds if necessary, and starts one revocation poller for all services. The settings are in .env.
import '../common/help.mjs';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { buildToRun } from '../common/build.mjs';
import { tellWhatRuns } from '../doctor/local-stacks.mjs';
import { argumentsOf } from '../common/own-options.mjs';
import { messageOf, paint, runNode, stopSignal } from '../common/processes.mjs';
import { runningKeycloak } from './running-keycloak.mjs';
import { poller } from './services.mjs';
import { pollerEnvironment } from './signals.mjs';

argumentsOf({ options: {} });

process.chdir(join(import.meta.dirname, '../..'));
if (existsSync('.env')) process.loadEnvFile('.env');
const signal = stopSignal();
try {
  await buildToRun({ signal });
  const service = poller(process.env);
  const keycloak = runningKeycloak(process.env);
  const env = pollerEnvironment(service, { keycloak, environment: process.env });
  const { name, port } = service;
  const processes = [{ service: name, name, port, environment: env }];
  const stopTelling = await tellWhatRuns(() => ({ title: 'npm run poller', keycloak, processes }));
  process.exitCode = await runNode(['--enable-source-maps', `apps/${service.name}/dist/main.js`], { env, signal });
  await stopTelling();
} catch (error) {
  process.exitCode = signal.aborted ? 0 : 1;
  if (!signal.aborted) console.error(paint(31, messageOf(error)));
}
