/** Cut headers: whether a request may have had more headers than there are to see. */

/** The part of a request that is read; Node's own requests fit. */
export interface CountedHeaders {
  /** Names and values in turn. */
  readonly rawHeaders?: readonly string[];
  readonly httpVersionMajor?: number;
  /** Of an HTTP server of Node: a `CountingSocket`. */
  readonly socket?: object;
}

interface CountingSocket {
  readonly server?: { readonly maxHeadersCount?: number | null };
}

/** Of names and values, where a server doesn't say: Node's own limit, for all that it is documented as 2000 headers. */
const DEFAULT_LIMIT = 2000;

/**
 * Node drops what is beyond `server.maxHeadersCount` without a word, from `rawHeaders` too; HTTP/2 refuses such a request itself.
 * True already of as many headers as the limit allows: of those that Node drops it may keep no trace.
 */
export function isCut(request: CountedHeaders, namesAndValues: number): boolean {
  if ((request.httpVersionMajor ?? 1) > 1) return false;
  const count = (request.socket as CountingSocket | undefined)?.server?.maxHeadersCount;
  // Node computes its limit like this; 0 means no limit.
  const limit = typeof count === 'number' ? count << 1 : DEFAULT_LIMIT;
  return limit > 0 && namesAndValues >= limit;
}
