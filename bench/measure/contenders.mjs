import { join } from 'node:path';
import { RUN_CHAIN, startChain } from './chain.mjs';
import { keycloakEnvironment } from './environment.mjs';
import { passwordToken } from './keycloak.mjs';
import { allAnswered, closedLoop } from './load.mjs';

export const chainContender = (name, { keycloak, signal }, options = {}) => ({
  name,
  async start() {
    const { a, processes } = await startChain(keycloak, { ...options, signal });
    const load = (requests) => closedLoop({ url: a.url, request: RUN_CHAIN, requests, signal });
    return { processes, load };
  },
});

export const routeContender = (name, { keycloak, start, signal }, { kind, root = '.', node }) => ({
  name,
  async start() {
    const env = keycloakEnvironment(keycloak, 'service-a');
    const server = await start(`${name} route`, [join(root, 'bench/servers/one-route.mjs'), kind], { env, node });
    const load = async (requests) => {
      const request = { path: '/route', headers: { authorization: `Bearer ${await passwordToken(keycloak)}` } };
      allAnswered(await closedLoop({ url: server.url, request, requests: 1, connections: 1 }));
      return closedLoop({ url: server.url, request, requests, signal });
    };
    return { processes: [server], load };
  },
});
