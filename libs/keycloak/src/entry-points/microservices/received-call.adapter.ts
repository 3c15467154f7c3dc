/** Received call: by which transport a call came, as the objects say that Nest and the transport made for it. */
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
 * The first argument of a handler is what the caller sent, so its members decide nothing. Every transport of Nest but gRPC gives its own
 * `BaseRpcContext` as the second argument. With gRPC the call of @grpc/grpc-js is the third argument, or the only one beside the callback for
 * `@GrpcStreamCall`. All four kinds of its calls are event emitters, and nothing that is deserialized from a message is one.
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
