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
   * Whether the guard rejects a RabbitMQ message with a refused token (`nack` without `requeue`), so that RabbitMQ
   * moves it to the dead-letter exchange of the queue. A message that could not be checked returns to the queue after a
   * second.
   *
   * Use this option only with `noAck: false`, since RabbitMQ would close the channel with `noAck: true` (Nest's
   * default). Give all handlers of an event the same access decorators, since RabbitMQ also closes the channel if
   * another `@EventPattern` handler acknowledges the rejected message. Default false.
   */
  readonly rejectRefused?: boolean;
}

/**
 * For `forRoot({ requestAdapters: [microservicesRequestAdapter()] })`: protects handlers of `@MessagePattern`,
 * `@EventPattern` and `@GrpcMethod`. The token is in the header `authorization` of the message, or of the gRPC
 * metadata, as `Bearer <token>`.
 *
 * A refusal is an `RpcException` with the body that HTTP callers get, or with a gRPC status (`UNAUTHENTICATED`,
 * `PERMISSION_DENIED` …) and the code as its message. A refused event gets no response, and only the guard logs it.
 *
 * The guard refuses messages of transports without headers (TCP, Redis) and of untested transports (Kafka, MQTT) with
 * `route_closed`, and the reason `transport_without_headers`.
 *
 * Throws `ConfigurationError` for invalid options.
 */
export function microservicesRequestAdapter(options: MicroservicesRequestAdapterOptions = {}): RequestAdapter {
  const rejectRefused = readOptions(options);
  // Each message has one request object, since the guard verifies a token once for each object that `requestOf`
  // returns.
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

/** Nest does not handle exceptions of a `@GrpcStreamCall` handler, so an exception would end the process. */
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
