/** Guard handshakes: has a WebSocket adapter refuse those who may not connect, before a gateway hears of them. */
import type { INestApplicationContext, WebSocketAdapter } from '@nestjs/common';
import { GatewayHandshakes } from '../ports/gateway-handshakes.js';
import { guardSocketIo, isSocketIo } from './socket-io-handshakes.js';
import { guardWs, isWs, verifyClientFor, type WsOptions } from './ws-handshakes.js';

/** A connection that socket.io recovers passes its middlewares as any other. */
const withMiddlewares = ({ connectionStateRecovery }: WsOptions): WsOptions =>
  connectionStateRecovery === undefined
    ? {}
    : { connectionStateRecovery: { ...connectionStateRecovery, skipMiddlewares: false } };

/**
 * For `app.useWebSocketAdapter(guardHandshakes(app, new WsAdapter(app)))`, or with an `IoAdapter`; those that derive from one of them fit, too.
 * Returns the adapter.
 *
 * The decorators on the class of a gateway say who may connect. A handshake that they refuse gets 401 or 403 (where several gateways
 * share a socket.io server, those of one namespace a `connect_error`), and `handleConnection` does not run. The token is taken from the
 * `Authorization` header alone. A socket is closed when its token expires, is denied, or is found inactive: after at most `introspectionTtlSeconds`,
 * also while its client only listens. Closing codes: 1008 for ws; a client of socket.io is disconnected.
 *
 * Throws `Error` for a server that is of neither, for gateways that share a path of ws where one is `@Public()` and another is not, and when the
 * application has no `KeycloakModule`.
 */
export function guardHandshakes<Adapter extends WebSocketAdapter>(
  app: Pick<INestApplicationContext, 'get'>,
  adapter: Adapter,
): Adapter {
  const handshakes = app.get(GatewayHandshakes, { strict: false });
  const create = adapter.create.bind(adapter) as (port: number, options?: WsOptions) => unknown;
  const guarded = (port: number, options: WsOptions = {}): unknown => {
    const gateways = handshakes.guard(port, options.path);
    const verifyClient = verifyClientFor(handshakes, gateways, options.verifyClient);
    const server = create(port, { ...options, ...withMiddlewares(options), verifyClient });
    if (isWs(server, verifyClient)) guardWs(server, handshakes, gateways);
    else if (isSocketIo(server)) guardSocketIo(server, handshakes, gateways, options.namespace);
    else
      throw new Error(
        'guardHandshakes() knows the servers of ws and socket.io that its adapter makes, and this is another',
      );
    return server;
  };
  adapter.create = guarded;
  return adapter;
}
