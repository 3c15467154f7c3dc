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

/** Keycloak uses this name for back-channel logout, and public DNS has no such name. */
const DOCKER_HOST = 'host.docker.internal';

/** DNS rebinding needs a DNS name that the attacker controls, so `localhost` and IP addresses are safe. */
export function needsNoDns(host: string): boolean {
  const name = withoutPort(host);
  return name === 'localhost' || isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0;
}

/**
 * Without this check, any site could call a demo service on the browser's machine. A request without `Host` does not
 * come from a browser.
 */
export function refuseUnknownHosts(adapter: FastifyAdapter, names: readonly string[]): void {
  const known = new Set([DOCKER_HOST, ...names]);
  // Most requests have the host of the last accepted request, so one comparison is enough (perf: chain-cpu).
  let lastKnown: string | undefined;
  adapter.getInstance().addHook('onRequest', ({ headers: { host } }: Request, reply: Reply, done: () => void) => {
    if (host === lastKnown || host === undefined || needsNoDns(host) || known.has(withoutPort(host))) {
      lastKnown = host;
      done();
    } else reply.code(421).headers(HEADERS).send({ error: 'Unknown host name', code: 'host_not_known' });
  });
}

const withoutPort = (host: string): string => host.toLowerCase().replace(/:\d*$/, '');
