// The chain: Services A, B and C as they are built, or servers that stand for them, each in a process of its own.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { freePort } from '../../libs/keycloak-test-servers/dist/index.js';
import { startProcess } from './processes.mjs';

/** What runs as each of the three. `root` is the checkout that the chain is of. */
export const PROGRAMS = {
  services: (name, root) => [join(root, `apps/${name}/dist/main.js`)],
  /** The same without guard, tokens and exchange. */
  open: (name) => ['bench/servers/open-twin.mjs', name],
  /** The same answers of Nest, class-validator and `fetch` alone. */
  nest: (name) => ['bench/servers/bare-nest.mjs', name],
  /** The least that answers as they do. */
  limit: (name) => ['bench/servers/limit.mjs', name],
  /** The same with a token in each call, and the least that looks at it. */
  bearer: (name) => ['bench/servers/limit.mjs', name, 'bearer'],
};

/**
 * In demo mode, as `npm start` runs them, but with logs as in production. `keycloak.baseUrl` may lead through a counting
 * proxy. `program`: one of `PROGRAMS`. `nodeArgs` is for profiling.
 */
export async function startChain(
  keycloak,
  { program = 'services', root = process.cwd(), env = {}, nodeArgs = () => [], node, signal } = {},
) {
  const { all, environmentOf } = await described(root);
  const chain = {};
  for (const service of all) {
    const { name, letter, port } = service;
    const started = await startProcess(
      program === 'services' ? name : `${name} (${program})`,
      [...nodeArgs(name), ...PROGRAMS[program](name, root)],
      {
        env: { ...environmentOf(service, keycloak), ...env },
        healthUrl: `http://127.0.0.1:${port}/health/ready`,
        node,
        signal,
      },
    );
    started.url = `http://127.0.0.1:${port}`;
    chain[letter.toLowerCase()] = started;
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

/** One of the three alone; those it would call are not there, unless `env` says where. */
export async function serviceOf(name, keycloak, { program = 'services', env = {}, signal } = {}) {
  const root = process.cwd();
  const { all, environmentOf } = await described(root);
  const service = all.find((one) => one.name === name);
  const measured = await startProcess(`${name} (${program})`, PROGRAMS[program](name, root), {
    env: { ...environmentOf(service, keycloak), ...env },
    healthUrl: `http://127.0.0.1:${service.port}/health/ready`,
    signal,
  });
  measured.url = `http://127.0.0.1:${service.port}`;
  return measured;
}

/** The services of the checkout at `root`, on free ports, with their environments. */
async function described(root) {
  // An older checkout has it one folder up.
  const [file] = ['scripts/start/services.mjs', 'scripts/services.mjs'].filter((path) => existsSync(join(root, path)));
  const { serviceEnvironment, services } = await import(pathToFileURL(join(root, file)));
  const all = services({});
  for (const service of all) service.port = await freePort();
  const environmentOf = (service, keycloak) => ({
    ...serviceEnvironment(service, { all, keycloak, environment: {} }),
    NODE_ENV: 'test',
  });
  return { all, environmentOf };
}
