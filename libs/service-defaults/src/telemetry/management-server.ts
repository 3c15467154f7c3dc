import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfigurationError } from 'nestjs-keycloak-s2s';
import { listenFault, type PlaceVariables } from '../listen-fault.js';

export interface ManagementServer {
  readonly port: number;
  /** Closes the server immediately, and cuts off an answer in progress. */
  close(): void;
}

const LIMITS = {
  headersTimeout: 5000,
  requestTimeout: 5000,
  keepAliveTimeout: 72_000,
  connectionsCheckingInterval: 1000,
};
const MAX_CONNECTIONS = 20;

const METRICS_PLACE: PlaceVariables = { host: 'MANAGEMENT_HOST (default: HOST)', port: 'MANAGEMENT_PORT' };

const PATH = /^\/metrics(?:\?|$)/;

/**
 * The server requires no token, so everyone who can reach the port can read the metrics. Throws `ConfigurationError` if
 * the server can't listen.
 */
export async function startManagementServer(
  { host, port }: { readonly host: string; readonly port: number },
  metrics: RequestListener,
): Promise<ManagementServer> {
  const server = createServer(LIMITS, (request, response) => {
    request.resume();
    if (request.method === 'GET' && PATH.test(request.url ?? '')) metrics(request, response);
    else response.writeHead(404, { connection: 'close' }).end();
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.listen(port, host);
  await once(server, 'listening').catch((error: unknown) => {
    const fault = listenFault(error, { host, port }, METRICS_PLACE);
    throw fault === undefined ? error : new ConfigurationError("The metrics server can't listen", [fault]);
  });
  // Only the server of the service keeps the process alive.
  server.unref();
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
