/** Hears the back-channel logout of the authorization server, in place of a client. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { text } from 'node:stream/consumers';

export interface Notice {
  readonly path: string;
  readonly contentType: string | undefined;
  readonly form: URLSearchParams;
}

export interface LogoutListener {
  /** At an address of this machine that a Keycloak in a container reaches too. */
  readonly url: string;
  /** What came since the last call. Keycloak answers a logout only after it has told all clients. */
  take(): Notice[];
  stop(): Promise<void>;
}

/** `status`: what it answers. */
export async function startLogoutListener(status = 200): Promise<LogoutListener> {
  const notices: Notice[] = [];
  const hear = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const form = new URLSearchParams(await text(request));
    notices.push({ path: request.url ?? '', contentType: request.headers['content-type'], form });
    response.writeHead(status).end();
  };
  const server = createServer((request, response) => void hear(request, response));
  const host = outerAddress();
  server.listen(0, host);
  await once(server, 'listening');
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    take: () => notices.splice(0),
    stop: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Loopback when there is no network: then no container is there either. */
function outerAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}
