// npm run chaos -- --minutes 10 --seed N runs three processes of each service with HAProxy, Valkey and an authorization
// server. The command makes these processes fail in an order that the seed determines. Meanwhile, users, services and
// attackers send requests. The command exits with 1 at the first wrong answer. With --authorization-server=…, the
// command uses this server (default: embedded). With --stale=SECONDS, services use expired introspection results for so
// long while the authorization server does not answer (default 0).
import '../common/help.mjs';
import { join } from 'node:path';
import { buildByTsc } from '../common/build.mjs';
import { argumentsOf, chooseServer } from '../common/own-options.mjs';
import { messageOf, paint, runNode, stopSignal } from '../common/processes.mjs';

const DEFAULT_SEED = '1';

process.chdir(join(import.meta.dirname, '../..'));
process.env.NODE_ENV ||= 'development';
const signal = stopSignal();
try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode = 1;
  if (!signal.aborted) console.error(paint(31, messageOf(error)));
}
if (signal.aborted) process.exitCode = 130;

async function main() {
  const { values } = argumentsOf({
    options: {
      minutes: { type: 'string', default: '1' },
      seed: { type: 'string', default: DEFAULT_SEED },
      stale: { type: 'string', default: '0' },
      'authorization-server': { type: 'string' },
    },
  });
  if (!(Number(values.minutes) >= 0.5)) throw new Error('--minutes must be a number from 0.5');
  if (!/^\d{1,9}$/.test(values.seed)) throw new Error('--seed must be a whole number');
  if (!/^\d{1,3}$/.test(values.stale)) throw new Error('--stale must be a whole number');
  chooseServer(values['authorization-server'], process.env, 'embedded');
  await buildByTsc({ signal });
  return runNode(
    ['test/support/typescript-loader.mjs', 'test/chaos/main.ts', values.minutes, values.seed, values.stale],
    { signal },
  );
}
