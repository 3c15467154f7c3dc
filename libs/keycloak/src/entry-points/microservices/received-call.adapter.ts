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
 * Finds the transport by argument classes. The caller can invent the first argument's members. A gRPC call is an event
 * emitter, unlike a deserialized message. The call is the third argument, or the first for `@GrpcStreamCall`.
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
