/** Microservices carrier: finds the token in the headers of a message, and gives refusals the form of Nest's RpcException. */
import { RpcException } from '@nestjs/microservices';
import { throwError } from 'rxjs';
import { ConfigurationError, ConfigurationFaults } from '../index.js';
import { BearerError, type CredentialCarrier } from '../ports/credential-carrier.js';
import { failBareCall, grpcCall, grpcError, isBareCall, refuseBareCall, streamOf } from './grpc-call.js';
import { authorizationHeaders } from './received-headers.js';
import { rejectDelivery } from './refused-deliveries.js';

/** As over HTTP. */
const INTERNAL_SERVER_ERROR = 500;

export interface MicroservicesCarrierOptions {
  /**
   * Whether a message of RabbitMQ whose token is refused is rejected (`nack` without `requeue`), so that it goes to the dead-letter exchange of its
   * queue; one that could not be judged, as while Keycloak is away or where the option `permissions` throws, goes back into the queue after a second. For consumers with `noAck: false`: their messages would stay unacknowledged, since no handler runs. Where messages are acknowledged
   * by themselves (`noAck: true`, Nest's default), RabbitMQ would close the channel. Default false.
   */
  readonly rejectRefused?: boolean;
}

/**
 * For `forRoot({ carriers: [microservicesCarrier()] })`: handlers of `@MessagePattern`, `@EventPattern` and `@GrpcMethod`. The token is in the
 * header `authorization` of the message, as over HTTP: `Bearer <token>`; of gRPC in its metadata.
 *
 * A refusal is an `RpcException` with the body that HTTP callers get; of gRPC with its status (`UNAUTHENTICATED`, `PERMISSION_DENIED` …) and the
 * code as its message.
 *
 * Transports whose messages have no headers (TCP, Redis), and those that were never tried against a real one (Kafka, MQTT), are refused
 * with `route_closed`, reason `transport_without_headers`.
 *
 * Throws `ConfigurationError`.
 */
export function microservicesCarrier(options: MicroservicesCarrierOptions = {}): CredentialCarrier {
  const rejectRefused = readOptions(options);
  return {
    kind: 'rpc',
    callOf: (args) => (isBareCall(args) ? (args[0] as object) : (Object(args[1]) as object)),
    requestOf(args) {
      const context = grpcCall(args)?.metadata ?? args[1];
      const authorization = authorizationHeaders(context);
      if (authorization !== undefined) return { headers: { authorization }, url: '' };
      const transport = Object(context) as object;
      throw new BearerError('route_closed', {
        reason: 'transport_without_headers',
        detail: `Messages with a ${transport.constructor.name} have no headers that are read, so nothing in them can carry a token`,
      });
    },
    refused({ status }, [, context]) {
      if (rejectRefused) rejectDelivery(context, status);
    },
    failed(args) {
      if (rejectRefused) rejectDelivery(args[1], INTERNAL_SERVER_ERROR);
      if (isBareCall(args)) failBareCall(args);
      return isBareCall(args);
    },
    toException(refusal, args) {
      if (isBareCall(args)) return refuseBareCall(args, refusal);
      return new RpcException(grpcCall(args) === undefined ? refusal.body : grpcError(refusal));
    },
    connectionOf: streamOf,
    answer: (exception) => throwError(() => (exception as RpcException).getError()),
  };
}

/** A misspelt name must not leave the messages of a queue where they are. */
function readOptions(options: MicroservicesCarrierOptions): boolean {
  const { rejectRefused = false, ...others } = Object(options) as MicroservicesCarrierOptions;
  const faults = new ConfigurationFaults();
  for (const other of Object.keys(others)) faults.fault(`unknown option "${other}"`);
  if (typeof rejectRefused !== 'boolean') faults.fault('rejectRefused must be true or false');
  faults.throwIfFaulty((all) => new ConfigurationError("microservicesCarrier() can't be used", all));
  return rejectRefused;
}
