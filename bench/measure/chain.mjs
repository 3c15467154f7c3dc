// The chain: Services A, B and C as they are built, each in a process of its own.
import { freePort } from '../../scripts/processes.mjs';
import { serviceEnvironment, services } from '../../scripts/services.mjs';
import { startProcess } from './processes.mjs';

/**
 * In demo mode, as `npm start` runs them, but with logs as in production. `keycloak.baseUrl` may lead through a counting
 * proxy. `open`: their twins without guard, tokens and exchange. `nodeArgs` is for profiling.
 */
export async function startChain(keycloak, { open = false, env = {}, nodeArgs = () => [], signal } = {}) {
  const all = services({});
  for (const service of all) service.port = await freePort();
  const chain = {};
  for (const service of all) {
    const program = open ? ['bench/servers/open-twin.mjs', service.name] : [`apps/${service.name}/dist/main.js`];
    chain[service.letter.toLowerCase()] = await startProcess(
      open ? `${service.name} (open)` : service.name,
      [...nodeArgs(service.name), ...program],
      {
        env: { ...serviceEnvironment(service, { all, keycloak, environment: {} }), NODE_ENV: 'test', ...env },
        healthUrl: `http://127.0.0.1:${service.port}/health/ready`,
        signal,
      },
    );
    chain[service.letter.toLowerCase()].url = `http://127.0.0.1:${service.port}`;
  }
  const started = Object.values(chain);
  return {
    ...chain,
    processes: [chain.a, chain.b, chain.c],
    stop: () => Promise.all(started.map((one) => one.stop())),
  };
}

/** GET /run-service-b as curl would ask. */
export const RUN_CHAIN = { path: '/run-service-b', headers: { accept: 'application/json' } };

/** One of the three alone; those it would call are not there. */
export async function serviceOf(name, keycloak, { env = {}, signal } = {}) {
  const all = services({});
  for (const service of all) service.port = await freePort();
  const service = all.find((one) => one.name === name);
  const measured = await startProcess(name, [`apps/${name}/dist/main.js`], {
    env: { ...serviceEnvironment(service, { all, keycloak, environment: {} }), NODE_ENV: 'test', ...env },
    healthUrl: `http://127.0.0.1:${service.port}/health/ready`,
    signal,
  });
  measured.url = `http://127.0.0.1:${service.port}`;
  return measured;
}
