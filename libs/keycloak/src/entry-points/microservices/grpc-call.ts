/** gRPC call: what a call of @grpc/grpc-js has, and how it is refused or ended. */
import { Writable } from 'node:stream';
import type { AdaptedRefusal, LongLivedConnection } from '../extension/index.js';
import { grpcStatus } from './grpc-status.js';

/** The members that all four kinds of calls have. */
export interface GrpcCall {
  readonly metadata: GrpcMetadata;
  readonly cancelled: boolean;
  readonly writableEnded?: boolean;
  emit(event: 'error', error: object): unknown;
}

/** Metadata of @grpc/grpc-js. */
export interface GrpcMetadata {
  get(name: string): readonly (string | Uint8Array)[];
}

export function grpcError({ status, body }: AdaptedRefusal): object {
  return { code: grpcStatus(status), details: message(body), message: message(body) };
}

/** The code, and what is demanded: a permission, or a login in the words of its challenge (RFC 9470 §3). */
function message({ code, permission, acrValues, maxAgeSeconds }: AdaptedRefusal['body']): string {
  const demands = [
    ...(permission === undefined ? [] : [permission]),
    ...(acrValues === undefined ? [] : [`acr_values="${acrValues.join(' ')}"`]),
    ...(maxAgeSeconds === undefined ? [] : [`max_age="${maxAgeSeconds}"`]),
  ];
  return demands.length === 0 ? code : `${code}: ${demands.join(', ')}`;
}

const UNKNOWN = 2;

/** Nest's own words for an error of the application. */
const FAILED = { code: UNKNOWN, details: 'Internal server error', message: 'Internal server error' };

/** Answers a call that its handler would have answered. */
export function refuseBareCall(args: readonly unknown[], refusal: AdaptedRefusal): void {
  answerBareCall(args, grpcError(refusal));
}

/** Answers a call that could not be judged. */
export function failBareCall(args: readonly unknown[]): void {
  answerBareCall(args, { ...FAILED });
}

/** `args` are the call, and the callback for the answer where that is not a stream. */
function answerBareCall(args: readonly unknown[], error: object): void {
  const [call, answer] = args as [GrpcCall, ((error: object) => void) | undefined];
  if (answer === undefined) call.emit('error', error);
  else answer(error);
}

const UNAUTHENTICATED = 16;

/** The stream of a call whose answer is a stream; undefined for other calls. */
export function streamOf(call: GrpcCall): LongLivedConnection | undefined {
  if (!(call instanceof Writable)) return undefined;
  const ended = { code: UNAUTHENTICATED, details: 'invalid_token' };
  return {
    key: call,
    isOpen: () => !call.cancelled && call.writableEnded !== true,
    close: () => void call.emit('error', ended),
  };
}
