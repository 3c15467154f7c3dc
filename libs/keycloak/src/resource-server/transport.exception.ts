import { IntrinsicException, type ExecutionContext } from '@nestjs/common';
import type { RefusalBody } from '../protocol/keycloak-exception.js';
import type { CallContext } from './request.adapter.js';

const TRANSPORT = 'microservices:transport';

const HANDLER_TYPE = 'microservices:handler_type';
const EVENT = 2;

/**
 * The gRPC status of a 403, from google/rpc/code.proto. If a context has no request adapter, 403 `route_closed` is the
 * only refusal.
 */
const PERMISSION_DENIED = 7;

/**
 * Nest does not log an `IntrinsicException`. Nest would log an event's `RpcException` with its stack trace, so callers
 * could fill the log.
 */
class RefusedEvent extends IntrinsicException {
  override readonly name = 'RefusedEvent';

  constructor(private readonly body: RefusalBody) {
    super(body.error);
  }

  getError(): RefusalBody {
    return this.body;
  }
}

export function refusedEvent(body: RefusalBody, context: CallContext): Error | undefined {
  const handler: unknown = context.getHandler?.();
  const isEvent = typeof handler === 'function' && Reflect.getMetadata(HANDLER_TYPE, handler) === EVENT;
  return isEvent ? new RefusedEvent(body) : undefined;
}

/**
 * Returns an exception that Nest's default handler can answer. Nest runs no global filters for gateways or, without
 * `inheritAppConfig`, for a hybrid application's microservices. Nest's default handlers answer an exception of an
 * unknown class with an internal error.
 */
export async function transportException(body: RefusalBody, context: ExecutionContext): Promise<Error | undefined> {
  try {
    switch (context.getType<string>()) {
      case 'ws': {
        const { WsException } = await import('@nestjs/websockets');
        return new WsException(body);
      }
      case 'rpc': {
        const event = refusedEvent(body, context);
        if (event !== undefined) return event;
        const { RpcException, Transport } = await import('@nestjs/microservices');
        const isGrpc = Reflect.getMetadata(TRANSPORT, context.getHandler()) === Transport.GRPC;
        return new RpcException(isGrpc ? { code: PERMISSION_DENIED, details: body.code, message: body.code } : body);
      }
      default:
        return undefined;
    }
  } catch {
    return undefined;
  }
}
