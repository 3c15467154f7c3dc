/** gRPC call: what a call of @grpc/grpc-js is, where Nest gives it to a handler, and how it is refused or ended. */
import type { CarriedRefusal, LongLivedConnection } from '../ports/credential-carrier.js';
import { grpcStatus } from './grpc-status.js';

/** The parts that are used of the four kinds of calls. */
export interface GrpcCall {
  readonly metadata: object;
  readonly cancelled: boolean;
  readonly writableEnded?: boolean;
  getPeer(): string;
  /** Of a call whose answer is a stream. */
  write?(message: unknown): unknown;
  emit(event: 'error', error: object): unknown;
}

const isCall = (value: unknown): value is GrpcCall => typeof value === 'object' && value !== null && 'getPeer' in value;

/** The third argument of a handler, or with `@GrpcStreamCall` the first; undefined for other transports. */
export function grpcCall(args: readonly unknown[]): GrpcCall | undefined {
  return [args[2], args[0]].find(isCall);
}

/** Whether the handler gets the call itself, by `@GrpcStreamCall`: what is thrown there is heard by nobody, and ends the process. */
export const isBareCall = (args: readonly unknown[]): boolean => isCall(args[0]);

export function grpcError({ status, body }: CarriedRefusal): object {
  return { code: grpcStatus(status), details: message(body), message: message(body) };
}

/** The code, and what is demanded: a permission, or a login in the words of its challenge (RFC 9470 §3). */
function message({ code, permission, acrValues, maxAgeSeconds }: CarriedRefusal['body']): string {
  const demands = [
    ...(permission === undefined ? [] : [permission]),
    ...(acrValues === undefined ? [] : [`acr_values="${acrValues.join(' ')}"`]),
    ...(maxAgeSeconds === undefined ? [] : [`max_age="${maxAgeSeconds}"`]),
  ];
  return demands.length === 0 ? code : `${code}: ${demands.join(', ')}`;
}

/** Answers a call that its handler would have answered. */
export function refuseBareCall(args: readonly unknown[], refusal: CarriedRefusal): void {
  answerBareCall(args, grpcError(refusal));
}

const UNKNOWN = 2;

/** The same with what Nest says of an error of the application. */
export function failBareCall(args: readonly unknown[]): void {
  const details = 'Internal server error';
  answerBareCall(args, { code: UNKNOWN, details, message: details });
}

function answerBareCall(args: readonly unknown[], error: object): void {
  const [call, answer] = args as [GrpcCall, ((error: object) => void) | undefined];
  if (answer === undefined) call.emit('error', error);
  else answer(error);
}

const UNAUTHENTICATED = 16;

/** Of a call whose answer is a stream; undefined for others. */
export function streamOf(args: readonly unknown[]): LongLivedConnection | undefined {
  const call = grpcCall(args);
  if (call?.write === undefined) return undefined;
  const ended = { code: UNAUTHENTICATED, details: 'invalid_token' };
  return {
    key: call,
    isOpen: () => !call.cancelled && call.writableEnded !== true,
    close: () => void call.emit('error', ended),
  };
}
