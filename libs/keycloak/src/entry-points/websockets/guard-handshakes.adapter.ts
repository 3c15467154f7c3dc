import type { INestApplicationContext, WebSocketAdapter } from '@nestjs/common';
import { GatewayHandshakes } from '../ports/gateway-handshakes.js';
import { guardSocketIo, isSocketIo } from './socket-io-handshakes.js';
import { guardWs, isWs, verifyClientFor, type WsOptions } from './ws-handshakes.js';

/**
 * Guards a `WsAdapter`, an `IoAdapter` or a subclass:
 * `app.useWebSocketAdapter(guardHandshakes(app, new WsAdapter(app)))`.
 *
 * The decorators on the class of a gateway decide who may connect. The token is read only from the `Authorization`
 * header. A refused handshake gets 401 or 403, and `handleConnection` does not run. On a shared socket.io server, a
 * namespace refuses a client with a `connect_error`.
 *
 * The guard closes a socket when the token expires, is denied, or becomes inactive (within `introspectionTtlSeconds`).
 * A ws socket is closed with code 1008, and a socket.io client is disconnected.
 *
 * Throws `Error` if `KeycloakModule` is missing or the server belongs to another library. Also throws `Error` if only
 * some ws gateways of a path are `@Public()`, or if a socket.io server has `connectionStateRecovery`.
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
    const server = create(port, { ...options, verifyClient });
    if (isWs(server, verifyClient)) guardWs(server, handshakes, gateways);
    else if (isSocketIo(server)) guardSocketIo(server, handshakes, gateways, options.namespace);
    else throw new Error('guardHandshakes() supports only the ws and socket.io servers that its adapter creates');
    return server;
  };
  adapter.create = guarded;
  return adapter;
}
