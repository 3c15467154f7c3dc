/** Transport exceptions: the form of a refusal that Nest's own handlers of messages pass on to the caller. */
import type { ExecutionContext } from '@nestjs/common';
import type { RefusalBody } from '../protocol/refusal.js';

/** Nest's own key, as text: the transport that a decorator such as `@GrpcMethod()` names. */
const TRANSPORT = 'microservices:transport';

/** google/rpc/code.proto. Without a carrier the guard refuses with 403 `route_closed` alone. */
const PERMISSION_DENIED = 7;

/**
 * Returns the exception that the guard throws for a refused message if no carrier is given. Nest applies global filters to no gateway, and to the
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
