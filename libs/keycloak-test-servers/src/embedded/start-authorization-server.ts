import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { listenOnFreePort } from '../free-port.js';
import { refuseInProduction } from '../refuse-in-production.js';
import { ADMIN, DEFAULT_KEYCLOAK_VERSION, type RunningServer } from '../running-server.js';
import { environmentAt, type StartServerOptions } from '../start-server-options.js';
import { AdjustableClock } from './state/adjustable-clock.js';
import { countCalls } from './http/call-counter.js';
import { FaultBoard } from './http/fault.js';
import { reportIgnored } from './grants/ignored-parts.js';
import { LastRequests } from './http/last-requests.js';
import { openRealm, withMaster } from './open-realm.js';
import { readRealm } from './realm/realm-file.js';
import { listener } from './router.js';
import { controlOf, type AuthorizationServerControl } from './server-control.js';
import { SSF_FEATURE } from './streams/transmitter.js';
import { makeSigningKeys } from './state/signing-keys.js';

export const EMBEDDED_SERVER_NAME = 'keycloak-test-servers';

export type StartAuthorizationServerOptions = StartServerOptions;

export interface RunningAuthorizationServer extends RunningServer {
  readonly kind: 'embedded';
  readonly control: AuthorizationServerControl;
  /** Closes the server and all connections, even if a request has no answer yet. */
  stop(): Promise<void>;
}

/**
 * Starts a test server that answers like Keycloak 26.7.5, without Docker or Java. The server listens on 127.0.0.1 only,
 * over plain HTTP. The server is **not for production**, since passwords are stored in plain text.
 *
 * The server answers 501 for unsupported paths of the admin REST API. The README lists what the server does not support.
 * A real Keycloak has no {@link RunningAuthorizationServer.control}.
 *
 * With `features: ['ssf']`, receivers can poll an SSF 1.0 transmitter (RFC 8936). The realm must set
 * `ssf.transmitterEnabled` to `true`.
 *
 * @throws RangeError for an unknown feature.
 * @throws Error if the port is taken, the realm file is unusable, or `NODE_ENV` is neither `test` nor `development`.
 */
export async function startAuthorizationServer(
  options: StartAuthorizationServerOptions,
): Promise<RunningAuthorizationServer> {
  const { signal, onProgress, features = [] } = options;
  signal?.throwIfAborted();
  refuseInProduction('startAuthorizationServer()');
  refuseUnknown(features);
  const { realm, json } = await readRealm(options.realm, environmentAt(options.environment)('localhost'));
  const keys = await makeSigningKeys();
  signal?.throwIfAborted();
  const http = createServer();
  // Like Keycloak, the server keeps idle connections open, since a client may be about to send a request.
  http.keepAliveTimeout = 0;
  const baseUrl = `http://localhost:${await listen(http, options.port)}`;
  onProgress?.(
    `Started the embedded server, which answers as Keycloak ${DEFAULT_KEYCLOAK_VERSION} does, at ${baseUrl}`,
  );
  reportIgnored(realm, json, onProgress);
  const server = openRealm(baseUrl, realm, keys, new AdjustableClock(), features);
  const calls = countCalls();
  const faults = new FaultBoard();
  const requests = new LastRequests();
  const answer = listener(withMaster(server), calls, faults, requests);
  http.on('request', (request, response) => {
    response.setHeader('server', EMBEDDED_SERVER_NAME);
    void answer(request, response);
  });
  return {
    baseUrl,
    issuer: server.issuer,
    realm: realm.name,
    version: DEFAULT_KEYCLOAK_VERSION,
    kind: 'embedded',
    features,
    adminUsername: ADMIN.username,
    adminPassword: ADMIN.password,
    control: controlOf(server, calls, faults, requests),
    stop: () => close(http),
  };
}

function refuseUnknown(features: readonly string[]): void {
  const unknown = features.find((feature) => feature !== SSF_FEATURE);
  if (unknown === undefined) return;
  const known = `it has ${SSF_FEATURE} alone`;
  throw new RangeError(`The embedded server does not have the feature ${JSON.stringify(unknown)}: ${known}`);
}

async function listen(server: Server, port: number | undefined): Promise<number> {
  if (port === undefined) return listenOnFreePort(server);
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}
