import { EventEmitter } from 'node:events';
import { BaseRpcContext, NatsContext, RmqContext } from '@nestjs/microservices';
import type { CallContext } from '../extension/index.js';
import type { GrpcCall } from './grpc-call.js';

export type ReceivedCall =
  | { readonly transport: 'grpc'; readonly call: GrpcCall; readonly isBare: boolean }
  | { readonly transport: 'nats'; readonly context: NatsContext }
  | { readonly transport: 'rabbitmq'; readonly context: RmqContext }
  | { readonly transport: 'other'; readonly context: BaseRpcContext | undefined };

/**
 * Recognizes the transport by the classes of the arguments, because a caller can invent the members of a message. A
 * gRPC call is an event emitter, but a deserialized message is not. The gRPC call is the third argument of a handler,
 * or the first argument of a `@GrpcStreamCall` handler.
 */
export function receivedCall(host: CallContext): ReceivedCall {
  const [first, second, third] = host.getArgs<unknown[]>();
  if (second instanceof NatsContext) return { transport: 'nats', context: second };
  if (second instanceof RmqContext) return { transport: 'rabbitmq', context: second };
  if (second instanceof BaseRpcContext) return { transport: 'other', context: second };
  if (isCall(third)) return { transport: 'grpc', call: third, isBare: false };
  if (isCall(first)) return { transport: 'grpc', call: first, isBare: true };
  return { transport: 'other', context: undefined };
}

const isCall = (value: unknown): value is GrpcCall => value instanceof EventEmitter;
