import { Writable } from 'node:stream';
import type { AdaptedRefusal, LongLivedConnection } from '../extension/index.js';
import { grpcStatus } from './grpc-status.js';

export interface GrpcCall {
  readonly metadata: GrpcMetadata;
  readonly cancelled: boolean;
  emit(event: 'error', error: object): unknown;
}

type GrpcStream = Writable & Pick<GrpcCall, 'cancelled'>;

export interface GrpcMetadata {
  get(name: string): readonly (string | Uint8Array)[];
}

export function grpcError({ status, body }: AdaptedRefusal): object {
  return { code: grpcStatus(status), details: message(body), message: message(body) };
}

/** Names the missing permission, or the parameters of the required login (RFC 9470 §3). */
function message({ code, permission, acrValues, maxAgeSeconds }: AdaptedRefusal['body']): string {
  const demands = [
    ...(permission === undefined ? [] : [permission]),
    ...(acrValues === undefined ? [] : [`acr_values="${acrValues.join(' ')}"`]),
    ...(maxAgeSeconds === undefined ? [] : [`max_age="${maxAgeSeconds}"`]),
  ];
  return demands.length === 0 ? code : `${code}: ${demands.join(', ')}`;
}

const UNKNOWN = 2;

const FAILED = { code: UNKNOWN, details: 'Internal server error', message: 'Internal server error' };

export function refuseBareCall(args: readonly unknown[], refusal: AdaptedRefusal): void {
  answerBareCall(args, grpcError(refusal));
}

export function failBareCall(args: readonly unknown[]): void {
  answerBareCall(args, { ...FAILED });
}

function answerBareCall(args: readonly unknown[], error: object): void {
  const [call, answer] = args as [GrpcCall, ((error: object) => void) | undefined];
  if (answer === undefined) call.emit('error', error);
  else answer(error);
}

const UNAUTHENTICATED = 16;

export function streamOf(call: GrpcCall): LongLivedConnection | undefined {
  if (!(call instanceof Writable)) return undefined;
  const stream = call as GrpcStream;
  return {
    key: stream,
    isOpen: () => !stream.cancelled && !stream.writableEnded,
    close: () => closeStream(stream),
  };
}

function closeStream(stream: GrpcStream): void {
  const isBlocked = stream.writableLength > 0;
  // Nest passes an error on to the handler unless its text has `cancelled`. An unhandled error ends the process.
  const ended = { code: UNAUTHENTICATED, details: 'invalid_token' };
  stream.emit('error', Object.assign(new Error('cancelled: invalid_token'), ended));
  // After `destroy()`, another `write()` of the handler emits no error.
  stream.destroy();
  // If the caller does not read, grpc-js would keep the status, and send the handler more requests. After a repeated
  // status, grpc-js tells the handler that the call is cancelled.
  const { _final: sendStatus } = stream;
  if (isBlocked) sendStatus.call(stream, () => {});
  sendStatus.call(stream, () => {});
}
