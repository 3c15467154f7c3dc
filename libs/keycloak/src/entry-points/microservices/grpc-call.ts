import { Writable } from 'node:stream';
import type { AdaptedRefusal, LongLivedConnection } from '../extension/index.js';
import { grpcStatus } from './grpc-status.js';

export interface GrpcCall {
  readonly metadata: GrpcMetadata;
  readonly cancelled: boolean;
  readonly writableEnded?: boolean;
  emit(event: 'error', error: object): unknown;
}

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
  const ended = { code: UNAUTHENTICATED, details: 'invalid_token' };
  return {
    key: call,
    isOpen: () => !call.cancelled && call.writableEnded !== true,
    close: () => void call.emit('error', ended),
  };
}
