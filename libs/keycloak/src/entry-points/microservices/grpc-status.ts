/** gRPC status: the status code of gRPC that goes with one of HTTP (google/rpc/code.proto). */

const STATUS: Readonly<Record<number, number>> = {
  // INVALID_ARGUMENT
  400: 3,
  // UNAUTHENTICATED
  401: 16,
  // PERMISSION_DENIED
  403: 7,
  // Those below 500 that `forwardStatuses` may name: NOT_FOUND
  404: 5,
  // ABORTED
  409: 10,
  // RESOURCE_EXHAUSTED
  429: 8,
  // UNAVAILABLE
  503: 14,
  // DEADLINE_EXCEEDED
  504: 4,
};

const INTERNAL = 13;

/** `INTERNAL` for one that has no counterpart, such as 502. */
export const grpcStatus = (httpStatus: number): number => STATUS[httpStatus] ?? INTERNAL;
