/** Starts an authorization server in this process that answers as Keycloak does. */
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
import { LastRequests } from './http/last-requests.js';
import { openRealm, withMaster } from './open-realm.js';
import { readRealm } from './realm/realm-file.js';
import { listener } from './router.js';
import { controlOf, type AuthorizationServerControl } from './server-control.js';
import { SSF_FEATURE } from './streams/transmitter.js';
import { makeSigningKeys } from './state/signing-keys.js';

/** The `Server` header of its answers, which distinguishes it from Keycloak for a caller that only has the URL. */
export const EMBEDDED_SERVER_NAME = 'keycloak-test-servers';

export type StartAuthorizationServerOptions = StartServerOptions;

export interface RunningAuthorizationServer extends RunningServer {
  readonly kind: 'embedded';
  readonly control: AuthorizationServerControl;
  /** Closes the server and all connections, including requests without an answer. May be called again. */
  stop(): Promise<void>;
}

/**
 * Starts a test server that answers as Keycloak 26.7.5 does, without Docker or Java. It supports discovery, JWKS,
 * introspection, revocation, userinfo and back-channel logout. The authorization endpoint supports the code flow, PKCE
 * and authentication levels, and has a login page. The token endpoint supports authorization code, client credentials,
 * password, refresh token and standard token exchange. The end session endpoint accepts a client's request or a refresh
 * token.
 *
 * Tokens are real JWTs (RS256), signed by a key that is created at startup. Any number of servers may run at once. The
 * server listens on 127.0.0.1 only and speaks plain HTTP. It is **not for production**, where it refuses to start: it
 * stores passwords in plain text.
 *
 * The administrator logs in at the realm `master` with `admin-cli`. The admin REST API can change users, their roles,
 * clients, sessions and realm settings. It can read user and admin events if `eventsEnabled` and `adminEventsEnabled`
 * are on. Every other path answers 501. The server does not have an admin console.
 *
 * With `features: ['ssf']`, a realm with the attribute `ssf.transmitterEnabled` set to `true` is an SSF transmitter
 * (SSF 1.0). Receivers poll for events (RFC 8936). They receive logouts, and password resets by an administrator.
 *
 * {@link RunningAuthorizationServer.control} is not part of Keycloak. It counts calls, moves the clock and makes
 * endpoints fail. It also rotates signing keys, disables users and clients, revokes tokens and ends sessions.
 *
 * The server supports:
 *
 * - confidential clients with a secret or a signed assertion (`client-jwt`), and public clients
 * - users with a password, realm roles
 * - client scopes with their scope mappings
 * - mappers for audience, subject, realm roles, session notes, name and user attributes
 *
 * It does *not* support:
 *
 * - response types other than `code`, `form_post`, request objects, wildcards in redirect URIs
 * - consent, front-channel logout
 * - client roles in tokens, composite roles, groups and default roles (with `fullScopeAllowed`, Keycloak adds its
 *   default roles)
 * - other client authentication, such as `tls_client_auth`
 * - signed or encrypted introspection
 *
 * It ignores unknown mappers in the realm file.
 *
 * @throws RangeError for an unknown feature.
 * @throws Error unless `NODE_ENV` is `test` or `development`; if the realm file can't be used or lacks values; or if
 * the port is taken.
 */
export async function startAuthorizationServer(
  options: StartAuthorizationServerOptions,
): Promise<RunningAuthorizationServer> {
  const { signal, onProgress, features = [] } = options;
  signal?.throwIfAborted();
  refuseInProduction('startAuthorizationServer()');
  refuseUnknown(features);
  const realm = await readRealm(options.realm, environmentAt(options.environment)('localhost'));
  const keys = await makeSigningKeys();
  signal?.throwIfAborted();
  const http = createServer();
  // As in Keycloak, idle connections stay open, so that none closes while a client starts to use it.
  http.keepAliveTimeout = 0;
  const baseUrl = `http://localhost:${await listen(http, options.port)}`;
  onProgress?.(
    `Started the embedded server, which answers as Keycloak ${DEFAULT_KEYCLOAK_VERSION} does, at ${baseUrl}`,
  );
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

/** Keycloak does not start with an unknown feature either. */
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
