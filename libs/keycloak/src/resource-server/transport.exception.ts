/** Transport exceptions: the form of a refusal that Nest's own handlers of messages pass on to the caller. */
import { IntrinsicException, type ExecutionContext } from '@nestjs/common';
import type { RefusalBody } from '../protocol/keycloak-exception.js';
import type { CallContext } from './request.adapter.js';

/** Nest's own key, as text: the transport that a decorator such as `@GrpcMethod()` names. */
const TRANSPORT = 'microservices:transport';

/** Nest's own key, as text: what `@EventPattern()` and `@MessagePattern()` set, and the value of the former. */
const HANDLER_TYPE = 'microservices:handler_type';
const EVENT = 2;

/** google/rpc/code.proto. Without a request adapter the guard refuses with 403 `route_closed` alone. */
const PERMISSION_DENIED = 7;

/** A refused event. Nest logs each `RpcException` of an event handler with its stack, so that callers could fill the log. Nest does not log an `IntrinsicException`. */
class RefusedEvent extends IntrinsicException {
  override readonly name = 'RefusedEvent';

  constructor(private readonly body: RefusalBody) {
    super(body.error);
  }

  /** As that of an `RpcException`. */
  getError(): RefusalBody {
    return this.body;
  }
}

/** Returns the exception for a refused event. Its sender gets no answer. Undefined if the handler is not one of `@EventPattern()`. */
export function refusedEvent(body: RefusalBody, context: CallContext): Error | undefined {
  const handler: unknown = context.getHandler?.();
  const isEvent = typeof handler === 'function' && Reflect.getMetadata(HANDLER_TYPE, handler) === EVENT;
  return isEvent ? new RefusedEvent(body) : undefined;
}

/**
 * Returns the exception that the guard throws for a refused message if no request adapter is given. Nest applies global filters to no gateway, and to the
 * microservice of a hybrid application only with `inheritAppConfig`. Its default handlers answer every other exception with an internal error.
 *
 * Undefined for other kinds of contexts, and where the package of the transport can't be loaded from here.
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
