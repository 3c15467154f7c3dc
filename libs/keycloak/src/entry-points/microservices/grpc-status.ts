/** gRPC status: maps an HTTP status to a gRPC status code (google/rpc/code.proto). */

const STATUS: Readonly<Record<number, number>> = {
  // INVALID_ARGUMENT
  400: 3,
  // UNAUTHENTICATED
  401: 16,
  // PERMISSION_DENIED
  403: 7,
  // NOT_FOUND. The statuses 404, 409 and 429 occur only with `forwardStatuses`.
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

export const grpcStatus = (httpStatus: number): number => STATUS[httpStatus] ?? INTERNAL;
