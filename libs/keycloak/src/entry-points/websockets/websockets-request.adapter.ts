import { BaseWsExceptionFilter, WsException } from '@nestjs/websockets';
import type { CallContext, RequestAdapter } from '../extension/index.js';
import { BearerError } from '../ports/request-adapter.js';
import { handshakeOf } from './handshakes.js';
import { connectionOfSocket } from './sockets.js';

/**
 * For `forRoot({ requestAdapters: [websocketsRequestAdapter()] })`: protects handlers of `@SubscribeMessage`, over ws
 * and socket.io. The guard verifies the token of the handshake's `Authorization` header again for each message. The
 * application must also use `guardHandshakes()`, which decides who may connect.
 *
 * The client receives a refusal as the event `exception`, with the body of an HTTP refusal.
 */
export function websocketsRequestAdapter(): RequestAdapter {
  // With `includeCause: false`, the filter of Nest does not send the client's message back.
  const filter = new BaseWsExceptionFilter({ includeCause: false });
  return {
    kind: 'ws',
    callOf: (context) => Object(socketOf(context)) as object,
    requestOf(context) {
      const request = handshakeOf(socketOf(context));
      if (request !== undefined) return request;
      throw new BearerError('route_closed', {
        reason: 'transport_without_headers',
        detail: 'The handshake of this socket is unknown. Use guardHandshakes() for the adapter of the application',
      });
    },
    toException: ({ body }) => new WsException(body),
    answer: (exception, context) => {
      filter.handleError(socketOf(context), exception, undefined as never);
    },
    connectionOf: (context) => connectionOfSocket(socketOf(context)),
  };
}

const socketOf = (context: CallContext): NestSocket => context.getArgByIndex<NestSocket>(0);

type NestSocket = Parameters<BaseWsExceptionFilter['handleError']>[0];
