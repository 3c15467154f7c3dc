/** StreamingTransport: requests with any body to one service, and answers as streams; whatever goes wrong leaves it as a ServiceCallError. */
import { Readable } from 'node:stream';
import { systemClock, type Clock } from '../caching/clock.js';
import { collected } from '../http/collected-body.js';
import { Network, type Connections } from '../http/network.js';
import type { HttpFailure, ResponseHeaders } from '../http/send-request.js';
import { streamRequest, type RequestBody } from '../http/stream-request.js';
import { Refusal } from '../protocol/refusal.js';
import { CallGate, type CircuitState, type Wait } from '../resilience/call-gate.js';
import { MAX_WAIT_FRACTION } from '../resilience/call-policy.js';
import { isWorthAnother, serviceFailure } from './service-call-failures.js';
import { serviceCallRules } from './service-call-rules.js';
import { ServicePaths } from './service-paths.js';
import type { ServiceTransportOptions } from './service-transport.js';

export type StreamingMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS' | 'QUERY';

export interface CallBody {
  /** The body, made anew for each try, and headers that belong to that one. */
  readonly open: () => { readonly body: RequestBody; readonly headers?: Readonly<Record<string, string>> };
  /** Whether it can be made more than once. */
  readonly isRepeatable: boolean;
}

export interface StreamingRequest {
  readonly method: StreamingMethod;
  /** The whole URL, which must be one below the service's base URL. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: CallBody;
  /** Whether a successful answer is given out as a stream. Any other is collected. */
  readonly streams: boolean;
  /** Bounds that are tighter than the service's own. */
  readonly timeoutMs?: number | undefined;
  readonly maxResponseBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Bytes of the body that are sent now, of those of the answer that come now. */
  readonly onSent?: ((bytes: number) => void) | undefined;
  readonly onReceived?: ((bytes: number, headers: Readonly<Record<string, string>>) => void) | undefined;
}

export interface StreamingResponse {
  readonly status: number;
  readonly statusText: string;
  /** Names in lower case, each once. */
  readonly headers: Readonly<Record<string, string>>;
  /** As they came: those that came more than once are lists. */
  readonly allHeaders: ResponseHeaders;
  readonly body: Readable | Buffer;
}

/**
 * Over kept-alive connections to one origin, and through a gate of the service's own. `timeoutMs` bounds the whole call; where a body
 * streams, in either direction, it bounds each time without progress. A stream keeps its slot until it is over. `maxResponseBytes`
 * bounds what is collected.
 */
export class StreamingTransport {
  readonly #paths: ServicePaths;
  readonly #connections: Connections;
  readonly #gate: CallGate<StreamingResponse>;

  constructor(
    private readonly options: ServiceTransportOptions,
    network = new Network(),
    clock: Clock = systemClock,
    onCircuit?: (state: CircuitState) => void,
  ) {
    const rules = serviceCallRules(options.name);
    const isFailedAnswer = (answer: StreamingResponse): boolean =>
      answer.status >= 500 && rules.isFailedAnswer?.({ ...answer, body: jsonOf(answer.body) }) === true;
    this.#gate = new CallGate(options, { ...rules, isFailedAnswer }, clock, onCircuit);
    this.#paths = new ServicePaths(options.name, options.baseUrl);
    this.#connections = network.toService(options);
  }

  /**
   * Any status is a response. Throws `ServiceCallError`, or the reason of `request.signal` when that aborted; `TypeError` for a URL
   * that leads elsewhere; the error of a body that failed by itself. The stream of an answer fails in the same way.
   */
  async send(request: StreamingRequest, authorization: string): Promise<StreamingResponse> {
    const path = this.pathOf(request);
    const { signal } = request;
    const boundMs = Math.min(request.timeoutMs ?? Infinity, this.options.timeoutMs);
    const call = (waitedMs: number): Promise<StreamingResponse> =>
      this.#send(request, path, authorization, boundMs - waitedMs);
    const leftMs = (): number => boundMs * MAX_WAIT_FRACTION;
    const wait: Wait = { leftMs, signal, isGivenUp: () => signal?.aborted === true };
    try {
      return await this.#gate.pass(call, wait, isOver);
    } catch (error) {
      const failure = this.#gate.errorOf(error);
      const { method } = request;
      throw failure instanceof Refusal ? failure.add({ method, url: this.#paths.addressOf(path) }) : failure;
    }
  }

  /** The path as it is sent. Throws `TypeError` for a URL that leads elsewhere. */
  pathOf({ url }: Pick<StreamingRequest, 'url'>): string {
    return this.#paths.of(url);
  }

  /** Where a call goes, for the log. */
  addressOf(request: Pick<StreamingRequest, 'url'>): string {
    return this.#paths.addressOf(this.pathOf(request));
  }

  async #send(
    request: StreamingRequest,
    path: string,
    authorization: string,
    timeoutMs: number,
  ): Promise<StreamingResponse> {
    const startMs = performance.now();
    const { name } = this.options;
    return this.#exchange(request, path, authorization, timeoutMs)
      .catch((error: unknown) => {
        if (!request.body.isRepeatable || !isWorthAnother(error, request.method)) throw error;
        const leftMs = Math.max(1, timeoutMs - (performance.now() - startMs));
        return this.#exchange(request, path, authorization, leftMs);
      })
      .catch((error: unknown) => Promise.reject(serviceFailure(name, error) as Error));
  }

  async #exchange(
    { method, headers, streams, signal, onSent, onReceived, maxResponseBytes = Infinity, ...request }: StreamingRequest,
    path: string,
    authorization: string,
    timeoutMs: number,
  ): Promise<StreamingResponse> {
    const { body, headers: ofBody } = request.body.open();
    const lines = Object.entries({ 'accept-encoding': 'identity', authorization, ...headers, ...ofBody }).flat();
    const answer = await streamRequest(this.#connections, {
      origin: this.#paths.origin,
      method,
      path,
      headers: lines,
      body,
      timeoutMs,
      bounds: streams || body instanceof Readable ? 'silence' : 'whole',
      signal,
      errorOf: (failure: HttpFailure) => serviceFailure(this.options.name, failure) as Error,
      onSent,
      onReceived,
      maxResponseBytes: (status) =>
        streams && isSuccess(status) ? maxResponseBytes : Math.min(maxResponseBytes, this.options.maxResponseBytes),
    });
    return streams && isSuccess(answer.status) ? answer : { ...answer, body: await collected(answer.body) };
  }
}

const isSuccess = (status: number): boolean => status < 300;

async function isOver({ body }: StreamingResponse): Promise<void> {
  if (!(body instanceof Readable) || body.closed) return;
  await new Promise<void>((resolve) => body.once('close', resolve));
}

/** Parsed JSON; undefined for whatever is none. */
export function jsonOf(body: StreamingResponse['body']): unknown {
  if (body instanceof Readable || body.length === 0) return undefined;
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
