import { RpcException } from '@nestjs/microservices';
import { throwError } from 'rxjs';
import { ConfigurationError, ConfigurationFaults } from '../../index.js';
import type { CallContext, AdaptedRequest, RequestAdapter } from '../extension/index.js';
import { BearerError, refusedEvent } from '../ports/request-adapter.js';
import { failBareCall, grpcError, refuseBareCall, streamOf, type GrpcCall } from './grpc-call.js';
import { receivedCall, type ReceivedCall } from './received-call.adapter.js';
import { authorizationHeaders } from './received-headers.js';
import { rejectDelivery, type RabbitMqDelivery } from './refused-deliveries.js';

const INTERNAL_SERVER_ERROR = 500;

export interface MicroservicesRequestAdapterOptions {
  /**
   * Whether a RabbitMQ message with a refused token goes to the queue's dead-letter exchange (`nack` without
   * `requeue`). A message that could not be checked returns to the queue after a second.
   *
   * Use this option only with `noAck: false`: with Nest's default `noAck: true`, RabbitMQ would close the channel. Give
   * all handlers of an event the same access decorators. RabbitMQ also closes the channel if another handler
   * acknowledges the rejected message. Default false.
   */
  readonly rejectRefused?: boolean;
}

/**
 * For `forRoot({ requestAdapters: [microservicesRequestAdapter()] })`: protects handlers of `@MessagePattern`,
 * `@EventPattern` and `@GrpcMethod`. The header `authorization` of the message or gRPC metadata contains
 * `Bearer <token>`.
 *
 * A refusal is an `RpcException` that contains the HTTP body, or for gRPC a gRPC status and the refusal code. A refused
 * event gets no response, and only the guard logs the refusal.
 *
 * Messages of transports other than NATS, RabbitMQ and gRPC get `route_closed` (reason `transport_without_headers`).
 *
 * Throws `ConfigurationError` for invalid options.
 */
export function microservicesRequestAdapter(options: MicroservicesRequestAdapterOptions = {}): RequestAdapter {
  const rejectRefused = readOptions(options);
  // Each message has one request object, because the guard verifies a token once for each request object.
  const requests = new WeakMap<object, AdaptedRequest>();
  return {
    kind: 'rpc',
    callOf(context) {
      return bareCallOf(context) ?? (Object(context.getArgByIndex(1)) as object);
    },
    requestOf(context) {
      const received = receivedCall(context);
      const message = received.transport === 'grpc' ? received.call : received.context;
      const known = message && requests.get(message);
      if (known !== undefined) return known;
      const authorization = authorizationHeaders(received);
      if (message === undefined || authorization === undefined) throw withoutHeaders(received);
      const request = { headers: { authorization }, url: '' };
      requests.set(message, request);
      return request;
    },
    refused({ status }, context) {
      if (rejectRefused) rejectRabbitMq(context, status);
    },
    failed(context) {
      if (rejectRefused) rejectRabbitMq(context, INTERNAL_SERVER_ERROR);
      if (bareCallOf(context) === undefined) return false;
      failBareCall(context.getArgs());
      return true;
    },
    toException(refusal, context) {
      if (bareCallOf(context) !== undefined) return refuseBareCall(context.getArgs(), refusal);
      const isGrpc = receivedCall(context).transport === 'grpc';
      return refusedEvent(refusal.body, context) ?? new RpcException(isGrpc ? grpcError(refusal) : refusal.body);
    },
    connectionOf(context) {
      const received = receivedCall(context);
      return received.transport === 'grpc' ? streamOf(received.call) : undefined;
    },
    answer: (exception) => throwError(() => (exception as RpcException).getError()),
  };
}

/** Nest does not handle an exception of a `@GrpcStreamCall` handler, so the exception would end the process. */
function bareCallOf(context: CallContext): GrpcCall | undefined {
  const received = receivedCall(context);
  return received.transport === 'grpc' && received.isBare ? received.call : undefined;
}

function rejectRabbitMq(context: CallContext, status: number): void {
  const received = receivedCall(context);
  if (received.transport === 'rabbitmq') rejectDelivery(received.context as RabbitMqDelivery, status);
}

function withoutHeaders(received: ReceivedCall): BearerError {
  const context = received.transport === 'other' ? received.context : undefined;
  return new BearerError('route_closed', {
    reason: 'transport_without_headers',
    detail: `Messages with a ${context?.constructor.name ?? 'context of their own'} have no headers that the guard can read, so they can't carry a token`,
  });
}

/** Refuses unknown options, since a misspelt `rejectRefused` would leave messages unacknowledged. */
function readOptions(options: MicroservicesRequestAdapterOptions): boolean {
  const { rejectRefused = false, ...others } = Object(options) as MicroservicesRequestAdapterOptions;
  const faults = new ConfigurationFaults();
  for (const other of Object.keys(others)) faults.fault(`unknown option "${other}"`);
  if (typeof rejectRefused !== 'boolean') faults.fault('rejectRefused must be true or false');
  faults.throwIfFaulty((all) => new ConfigurationError("microservicesRequestAdapter() can't be used", all));
  return rejectRefused;
}
