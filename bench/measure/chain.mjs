import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { freePort } from '../../libs/keycloak-test-servers/dist/index.js';
import { startProcess } from './processes.mjs';

export const PROGRAMS = {
  services: (name, root) => [join(root, `apps/${name}/dist/main.js`)],
  open: (name) => ['bench/servers/open-twin.mjs', name],
  nest: (name) => ['bench/servers/bare-nest.mjs', name],
  'usual nest': (name) => [
    '--import',
    './bench/preloads/instrumentations.mjs',
    'bench/servers/bare-nest.mjs',
    name,
    'usual packages',
  ],
  limit: (name) => ['bench/servers/limit.mjs', name],
  bearer: (name) => ['bench/servers/limit.mjs', name, 'bearer'],
};

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
        env: { ...environmentOf(service, keycloak), ...(typeof env === 'function' ? env(name) : env) },
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

export const RUN_CHAIN = { path: '/run-service-b', headers: { accept: 'application/json' } };

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

async function described(root) {
  // In older checkouts, services.mjs is in the parent folder.
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
