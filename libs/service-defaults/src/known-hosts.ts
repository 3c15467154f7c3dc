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

/** Keycloak uses the name for back-channel logout, and public DNS does not have the name. */
const DOCKER_HOST = 'host.docker.internal';

/**
 * Whether the host is `localhost` or an IP address. The owner of a DNS name can serve a page under the name, and then
 * let the name resolve to this service (DNS rebinding). The browser then treats the page and this service as one
 * origin.
 */
export function needsNoDns(host: string): boolean {
  const name = withoutPort(host);
  return name === 'localhost' || isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0;
}

/**
 * Without this check, a page of any site could call a demo service on the machine of the browser. A request without
 * `Host` does not come from a browser.
 */
export function refuseUnknownHosts(adapter: FastifyAdapter, names: readonly string[]): void {
  const known = new Set([DOCKER_HOST, ...names]);
  // The last accepted host is not checked again, since nearly all requests have one host (perf: chain-cpu).
  let lastKnown: string | undefined;
  adapter.getInstance().addHook('onRequest', ({ headers: { host } }: Request, reply: Reply, done: () => void) => {
    if (host === lastKnown || host === undefined || needsNoDns(host) || known.has(withoutPort(host))) {
      lastKnown = host;
      done();
    } else reply.code(421).headers(HEADERS).send({ error: 'Unknown host name', code: 'host_not_known' });
  });
}

const withoutPort = (host: string): string => host.toLowerCase().replace(/:\d*$/, '');
