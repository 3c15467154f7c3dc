/** Microservices request adapter: finds the token in the headers of a message, and gives refusals the form of Nest's RpcException. */
import { RpcException } from '@nestjs/microservices';
import { throwError } from 'rxjs';
import { ConfigurationError, ConfigurationFaults } from '../../index.js';
import type { CallContext, AdaptedRequest, RequestAdapter } from '../extension/index.js';
import { BearerError, refusedEvent } from '../ports/request-adapter.js';
import { failBareCall, grpcError, refuseBareCall, streamOf, type GrpcCall } from './grpc-call.js';
import { receivedCall, type ReceivedCall } from './received-call.adapter.js';
import { authorizationHeaders } from './received-headers.js';
import { rejectDelivery, type RabbitMqDelivery } from './refused-deliveries.js';

/** As over HTTP. */
const INTERNAL_SERVER_ERROR = 500;

export interface MicroservicesRequestAdapterOptions {
  /**
   * Whether a message of RabbitMQ whose token is refused is rejected (`nack` without `requeue`). RabbitMQ then moves the message to
   * the dead-letter exchange of its queue. With this option, a message that could not be judged goes back into the queue after a
   * second. That happens while Keycloak is away or where the option `mapPermissions` throws, for example.
   *
   * For consumers with `noAck: false`: their messages would stay unacknowledged, since no handler runs. Where messages are acknowledged
   * by themselves (`noAck: true`, Nest's default), RabbitMQ would close the channel. It would also close the channel if one of several
   * `@EventPattern` handlers of an event acknowledged a message that is rejected for another: give them the same access decorators.
   * Default false.
   */
  readonly rejectRefused?: boolean;
}

/**
 * For `forRoot({ requestAdapters: [microservicesRequestAdapter()] })`: handlers of `@MessagePattern`, `@EventPattern` and `@GrpcMethod`. The token is in the
 * header `authorization` of the message, as over HTTP: `Bearer <token>`; of gRPC in its metadata.
 *
 * A refusal is an `RpcException` with the body that HTTP callers get; of gRPC with its status (`UNAUTHENTICATED`, `PERMISSION_DENIED` …) and the
 * code as its message. A refused event has no answer: its exception is an `IntrinsicException`, which Nest does not log. The guard logs the refusal.
 *
 * Transports whose messages have no headers (TCP, Redis), and those that were never tried against a real one (Kafka, MQTT), are refused
 * with `route_closed`, reason `transport_without_headers`.
 *
 * Throws `ConfigurationError`.
 */
export function microservicesRequestAdapter(options: MicroservicesRequestAdapterOptions = {}): RequestAdapter {
  const rejectRefused = readOptions(options);
  // By the object that the transport made for the message: the guard judges a token once for each object that `requestOf` returns.
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

/** The call that a handler gets itself, by `@GrpcStreamCall`: Nest handles nothing that is thrown there, and the process would end. */
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
    detail: `Messages with a ${context?.constructor.name ?? 'context of their own'} have no headers that are read, so nothing in them can carry a token`,
  });
}

/** A misspelt name must not leave the messages of a queue where they are. */
function readOptions(options: MicroservicesRequestAdapterOptions): boolean {
  const { rejectRefused = false, ...others } = Object(options) as MicroservicesRequestAdapterOptions;
  const faults = new ConfigurationFaults();
  for (const other of Object.keys(others)) faults.fault(`unknown option "${other}"`);
  if (typeof rejectRefused !== 'boolean') faults.fault('rejectRefused must be true or false');
  faults.throwIfFaulty((all) => new ConfigurationError("microservicesRequestAdapter() can't be used", all));
  return rejectRefused;
}
