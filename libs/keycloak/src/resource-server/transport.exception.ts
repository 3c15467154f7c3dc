import { IntrinsicException, type ExecutionContext } from '@nestjs/common';
import type { RefusalBody } from '../protocol/keycloak-exception.js';
import type { CallContext } from './request.adapter.js';

const TRANSPORT = 'microservices:transport';

const HANDLER_TYPE = 'microservices:handler_type';
const EVENT = 2;

/** From google/rpc/code.proto. */
const PERMISSION_DENIED = 7;

/** Nest logs each `RpcException` of an event handler with its stack, which would let callers fill the log. */
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
 * Nest does not apply global filters to gateways, and applies them to microservices of a hybrid application only with
 * `inheritAppConfig`.
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
