import type { VerifiedAccessToken } from '../../index.js';
import type { AdaptedRequest } from '../extension/index.js';
import { KeycloakException, type GatewayHandshakes, type GuardedGateway } from '../ports/gateway-handshakes.js';
import { connectionOfSocket } from './sockets.js';

type Next = (error?: Error) => void;

type EngineRequest = AdaptedRequest & { readonly _query?: { readonly sid?: unknown } };

interface Engine {
  use(middleware: (request: EngineRequest, response: Response, next: Next) => void): unknown;
  readonly clients: Readonly<Record<string, { readonly request?: EngineRequest } | undefined>>;
}

interface ServerSocket {
  readonly request: AdaptedRequest;
}

interface IoServer {
  readonly engine?: Engine;
  readonly opts?: { readonly connectionStateRecovery?: unknown };
}

interface SocketIo extends IoServer {
  /** Only a namespace has this member. */
  readonly server?: IoServer;
  use(middleware: (socket: ServerSocket, next: Next) => void): unknown;
  on(event: 'connection', listener: (socket: ServerSocket) => void): unknown;
}

export function isSocketIo(server: unknown): server is SocketIo {
  return engineOf(Object(server) as SocketIo) !== undefined;
}

const engineOf = ({ engine, server }: SocketIo): Engine | undefined => engine ?? server?.engine;

const guardedEngines = new WeakSet<Engine>();

export function guardSocketIo(
  server: SocketIo,
  handshakes: GatewayHandshakes,
  gateways: readonly GuardedGateway[],
  namespace: unknown,
): void {
  refuseRecovery(server, handshakes, gateways);
  const engine = engineOf(server);
  if (engine !== undefined && !guardedEngines.has(engine)) {
    guardedEngines.add(engine);
    engine.use((request, response, next) => {
      watch(request);
      void letIn(handshakes, leastStrict(gateways), engine, request, response, next);
    });
  }
  const ofNamespace = gateways.filter((gateway) => withSlash(gateway.namespace) === withSlash(namespace));
  const demanded = ofNamespace.length > 0 ? ofNamespace : leastStrict(gateways);
  server.use((socket, next) => void connect(handshakes, demanded, socket, next));
  // socket.io does not count the socket as connected before the event `connection`.
  server.on('connection', (socket) => {
    const token = tokensOfSockets.get(socket);
    if (token !== undefined) handshakes.hold(connectionOfSocket(socket), token, socket.request);
  });
}

/** socket.io sends the missed messages of a recovered connection before it runs any middleware. */
function refuseRecovery(
  { opts, server }: SocketIo,
  handshakes: GatewayHandshakes,
  gateways: readonly GuardedGateway[],
): void {
  if (!(opts ?? server?.opts)?.connectionStateRecovery) return;
  if (gateways.length > 0 && gateways.every(({ access }) => access.opening === 'public')) return;
  const names = gateways.map(({ name }) => name).join(' and ');
  handshakes.refuseStart(
    `The socket.io server of ${names} has connectionStateRecovery, with which socket.io sends missed messages to a client before the guard checks its token. Remove connectionStateRecovery`,
  );
}

/** Handles `error` while an upgrade request is verified, because an unhandled `error` event would end the process. */
function watch({ socket }: AdaptedRequest): void {
  if (socket === undefined || watched.has(socket)) return;
  watched.add(socket);
  (socket as Duplex).on('error', () => (socket as Duplex).destroy());
}

const watched = new WeakSet<object>();

interface Duplex {
  readonly writable: boolean;
  on(event: 'error', listener: () => void): unknown;
  destroy(): void;
  end(answer: string): void;
}

const tokensOfRequests = new WeakMap<object, VerifiedAccessToken>();
const tokensOfSockets = new WeakMap<object, VerifiedAccessToken>();

async function letIn(
  handshakes: GatewayHandshakes,
  gateways: readonly GuardedGateway[],
  engine: Engine,
  request: EngineRequest,
  response: Response,
  next: Next,
): Promise<void> {
  try {
    const { _query: query } = request;
    const opened = engine.clients[String(query?.sid)]?.request;
    const owner = opened === undefined ? undefined : tokensOfRequests.get(opened);
    // Only the caller that opened a session may use the session id, even at a `@Public()` gateway.
    const demanded = owner === undefined ? gateways : gateways.filter(({ access }) => access.opening !== 'public');
    const token = await handshakes.authorize(request, demanded);
    if (owner !== undefined && !isSameCaller(owner, token)) throw handshakes.refusalOfSession();
    if (token !== undefined) tokensOfRequests.set(request, token);
  } catch (error) {
    refuse(handshakes, error, request, response);
    return;
  }
  next();
}

/** The issuer is compared, too, since a subject is only unique at its issuer. */
const isSameCaller = (one: VerifiedAccessToken, other: VerifiedAccessToken | undefined): boolean =>
  other?.issuer === one.issuer && other.subject === one.subject && other.clientId === one.clientId;

async function connect(
  handshakes: GatewayHandshakes,
  gateways: readonly GuardedGateway[],
  socket: ServerSocket,
  next: Next,
): Promise<void> {
  try {
    const token = await handshakes.authorize(socket.request, gateways);
    if (token !== undefined) {
      tokensOfSockets.set(socket, token);
      tokensOfRequests.set(socket.request, token);
    }
  } catch (error) {
    next(connectError(handshakes, error));
    return;
  }
  next();
}

/** Returns the least strict requirements of all gateways, because each namespace later checks its own requirements. */
function leastStrict(gateways: readonly GuardedGateway[]): readonly GuardedGateway[] {
  const open = (['public', 'optional'] as const).flatMap((opening) =>
    gateways.filter(({ access }) => access.opening === opening),
  );
  if (open.length > 0) return open.slice(0, 1);
  return gateways.map((gateway) => ({
    ...gateway,
    access: { ...gateway.access, permissions: [], anyOf: [], clients: [], authentication: undefined },
  }));
}

const withSlash = (namespace: unknown): unknown =>
  typeof namespace === 'string' ? `/${namespace.replace(/^\//, '')}` : (namespace ?? '/');

/** For an upgrade request, the response has no status code, because engine.io can only close the socket. */
interface Response {
  readonly statusCode?: number;
  writeHead(status: number, headers: object): { end(text: string): void };
}

function refuse(handshakes: GatewayHandshakes, error: unknown, request: AdaptedRequest, response: Response): void {
  if (!(error instanceof KeycloakException)) handshakes.logFailure(error);
  const { status, headers, body } =
    error instanceof KeycloakException
      ? handshakes.toReply(error)
      : { status: 500, headers: {}, body: { error: 'Internal server error' } };
  const text = JSON.stringify(body);
  const all = { ...headers, 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(text)) };
  if (response.statusCode !== undefined) {
    response.writeHead(status, all).end(text);
    return;
  }
  const lines = Object.entries({ ...all, Connection: 'close' }).map(([name, value]) => `${name}: ${value}\r\n`);
  const socket = request.socket as Duplex;
  if (!socket.writable) return socket.destroy();
  socket.end(`HTTP/1.1 ${status} ${body.error}\r\n${lines.join('')}\r\n${text}`);
}

function connectError(handshakes: GatewayHandshakes, error: unknown): Error {
  if (!(error instanceof KeycloakException)) {
    handshakes.logFailure(error);
    return new Error('Internal server error');
  }
  const { body } = handshakes.toReply(error);
  return Object.assign(new Error(body.error), { data: body });
}
