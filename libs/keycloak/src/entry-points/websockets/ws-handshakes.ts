import type { VerifiedAccessToken } from '../../index.js';
import type { AdaptedRequest } from '../extension/index.js';
import { KeycloakException, type GatewayHandshakes, type GuardedGateway } from '../ports/gateway-handshakes.js';
import { rememberHandshake } from './handshakes.js';
import { connectionOfSocket } from './sockets.js';

interface HandshakeInfo {
  readonly req: AdaptedRequest;
}

type Verdict = (verified: boolean, code?: number, message?: string, headers?: Readonly<Record<string, string>>) => void;

export type VerifyClient = (info: HandshakeInfo, verdict: Verdict) => unknown;

export interface WsOptions {
  readonly path?: unknown;
  readonly namespace?: unknown;
  readonly verifyClient?: VerifyClient | undefined;
}

interface WsServer {
  on(event: 'connection', listener: (socket: object, request: AdaptedRequest) => void): unknown;
}

export function isWs(server: unknown, verifyClient: VerifyClient): server is WsServer {
  return (Object(server) as { readonly options?: WsOptions }).options?.verifyClient === verifyClient;
}

const tokens = new WeakMap<AdaptedRequest, VerifiedAccessToken>();

export function verifyClientFor(
  handshakes: GatewayHandshakes,
  gateways: readonly GuardedGateway[],
  own: VerifyClient | undefined,
): VerifyClient {
  return (info, verdict) => void verify(handshakes, gateways, own, info, verdict);
}

async function verify(
  handshakes: GatewayHandshakes,
  gateways: readonly GuardedGateway[],
  own: VerifyClient | undefined,
  info: HandshakeInfo,
  verdict: Verdict,
): Promise<void> {
  try {
    const token = await handshakes.authorize(info.req, gateways);
    if (token !== undefined) tokens.set(info.req, token);
    // The application's `verifyClient` may throw, and `verdict(true)` runs listeners that may throw.
    if (own === undefined) verdict(true);
    else if (own.length < 2) verdict((await own(info, verdict)) === true);
    else await own(info, verdict);
  } catch (error) {
    if (!(error instanceof KeycloakException)) return fail(handshakes, error, info, verdict);
    const { status, headers, body } = handshakes.toReply(error);
    verdict(false, status, JSON.stringify(body), { ...headers, 'Content-Type': 'application/json' });
  }
}

/** `verdict` throws if the handshake was already accepted or refused. */
function fail(handshakes: GatewayHandshakes, error: unknown, { req }: HandshakeInfo, verdict: Verdict): void {
  handshakes.logFailure(error);
  try {
    verdict(false, 500);
  } catch {
    (req.socket as { destroy?(): void } | undefined)?.destroy?.();
  }
}

export function guardWs(server: WsServer, handshakes: GatewayHandshakes, gateways: readonly GuardedGateway[]): void {
  const isOpen = gateways.map(({ access }) => access.opening === 'public');
  if (new Set(isOpen).size > 1) {
    const names = gateways.map(({ name }) => name).join(' and ');
    handshakes.refuseStart(
      `${names} share a path, but only some of them are @Public(). Give the @Public() gateways a separate path`,
    );
  }
  server.on('connection', (socket, request) => {
    rememberHandshake(socket, request);
    const token = tokens.get(request);
    if (token !== undefined) handshakes.hold(connectionOfSocket(socket), token, request);
  });
}
