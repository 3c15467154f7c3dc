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
  /** The URL of the listener, which a container can reach. */
  readonly url: string;
  /** Does not wait for notices, since Keycloak answers a logout only after it has notified all clients. */
  take(): Notice[];
  stop(): Promise<void>;
}

export async function startLogoutListener(status = 200): Promise<LogoutListener> {
  const notifications: Notice[] = [];
  const receive = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const form = new URLSearchParams(await text(request));
    notifications.push({ path: request.url ?? '', contentType: request.headers['content-type'], form });
    response.writeHead(status).end();
  };
  const server = createServer((request, response) => void receive(request, response));
  const host = outerAddress();
  server.listen(0, host);
  await once(server, 'listening');
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    take: () => notifications.splice(0),
    stop: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function outerAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}
