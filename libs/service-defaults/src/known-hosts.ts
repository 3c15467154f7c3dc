import { isIP } from 'node:net';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { securityHeaders } from './security-headers.js';

interface Request {
  readonly headers: { readonly host?: string | undefined };
}
interface Reply {
  code(status: number): this;
  headers(values: Readonly<Record<string, string>>): this;
  send(body: object): unknown;
}

const HEADERS = securityHeaders();

/** The host machine's name in a container, which Keycloak uses for back-channel logout. Public DNS does not have it. */
const DOCKER_HOST = 'host.docker.internal';

/**
 * The owner of a DNS name can serve a page under the name and then point the name at this service (DNS rebinding). The
 * browser treats the page and this service as one origin.
 */
export function needsNoDns(host: string): boolean {
  const name = withoutPort(host);
  return name === 'localhost' || isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0;
}

/**
 * Without this check, a page of any site could call a service in demo mode on the same machine as the browser. A
 * request without `Host` does not come from a browser.
 */
export function refuseUnknownHosts(adapter: FastifyAdapter, names: readonly string[]): void {
  const known = new Set([DOCKER_HOST, ...names]);
  // Nearly all requests have the same host (perf: chain-cpu).
  let lastKnown: string | undefined;
  adapter.getInstance().addHook('onRequest', ({ headers: { host } }: Request, reply: Reply, done: () => void) => {
    if (host === lastKnown || host === undefined || needsNoDns(host) || known.has(withoutPort(host))) {
      lastKnown = host;
      done();
    } else reply.code(421).headers(HEADERS).send({ error: 'Unknown host name', code: 'host_not_known' });
  });
}

const withoutPort = (host: string): string => host.toLowerCase().replace(/:\d*$/, '');
