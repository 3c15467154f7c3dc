/** Known hosts: in demo mode, the names by which a service lets itself be called. */
import { isIP } from 'node:net';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { securityHeaders } from './security-headers.js';

/** The part of Fastify's request and reply that is used here. */
interface Request {
  readonly headers: { readonly host?: string | undefined };
}
interface Reply {
  code(status: number): this;
  headers(values: Readonly<Record<string, string>>): this;
  send(body: object): unknown;
}

const HEADERS = securityHeaders();

/** What containers call the machine that they run on: Keycloak, when it tells of a logout. No public name server has it. */
const THIS_MACHINE = 'host.docker.internal';

/**
 * Whether no name server has a say in where `host`, with or without a port, leads: an IP address, or `localhost`. Whoever is
 * called by any other name may be called by a page of the owner of that name, who had it lead elsewhere before (DNS
 * rebinding), and the browser takes both for one origin.
 */
export function needsNoNameServer(host: string): boolean {
  const name = withoutPort(host);
  return name === 'localhost' || isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0;
}

/**
 * Answers 421 `host_not_known` to a request whose `Host` is none of `names`, and needs a name server. In demo mode a service
 * answers whoever can reach it, and a browser on the same machine can: without this, pages of any site could have it do so.
 * A request without `Host` is of no browser.
 */
export function refuseUnknownHosts(adapter: FastifyAdapter, names: readonly string[]): void {
  const known = new Set([THIS_MACHINE, ...names]);
  adapter.getInstance().addHook('onRequest', ({ headers: { host } }: Request, reply: Reply, done: () => void) => {
    if (host === undefined || needsNoNameServer(host) || known.has(withoutPort(host))) done();
    else reply.code(421).headers(HEADERS).send({ error: 'This service has another name', code: 'host_not_known' });
  });
}

const withoutPort = (host: string): string => host.toLowerCase().replace(/:\d*$/, '');
