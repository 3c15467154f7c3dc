/** Microservices carrier: finds the token in the headers of a message, and gives refusals the form of Nest's RpcException. */
import { RpcException } from '@nestjs/microservices';
import { throwError } from 'rxjs';
import { BearerError, type CarriedRefusal, type CredentialCarrier } from '../ports/credential-carrier.js';
import { grpcStatus } from './grpc-status.js';
import { authorizationHeaders, rabbitMqDelivery } from './message-headers.js';

export interface MicroservicesCarrierOptions {
  /**
   * Whether a message of RabbitMQ that is refused is rejected (`nack` without `requeue`), so that it goes to the dead-letter exchange of its
   * queue. For consumers with `noAck: false`: their messages would stay unacknowledged, since no handler runs. Where messages are acknowledged
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
 */
export function microservicesCarrier({ rejectRefused = false }: MicroservicesCarrierOptions = {}): CredentialCarrier {
  return {
    kind: 'rpc',
    callOf: ([, context]) => Object(context) as object,
    requestOf([, context]) {
      const authorization = authorizationHeaders(context);
      if (authorization !== undefined) return { headers: { authorization }, url: '' };
      const transport = Object(context) as object;
      throw new BearerError('route_closed', {
        reason: 'transport_without_headers',
        detail: `Messages with a ${transport.constructor.name} have no headers that are read, so nothing in them can carry a token`,
      });
    },
    toException(refusal, [, context, call]) {
      if (rejectRefused) rabbitMqDelivery(context)?.reject();
      return new RpcException(isGrpcCall(call) ? grpcError(refusal) : refusal.body);
    },
    answer: (exception) => throwError(() => (exception as RpcException).getError()),
  };
}

/** The third argument of a handler of gRPC alone. */
const isGrpcCall = (call: unknown): boolean => typeof call === 'object' && call !== null && 'getPeer' in call;

function grpcError({ status, body }: CarriedRefusal): object {
  const { code, permission } = body;
  return { code: grpcStatus(status), message: permission === undefined ? code : `${code}: ${permission}` };
}
