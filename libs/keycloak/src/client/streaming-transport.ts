/** StreamingTransport: requests with any body to one service, and answers as streams; whatever goes wrong leaves it as a ServiceCallError. */
import { Readable } from 'node:stream';
import { systemClock, type Clock } from '../caching/clock.js';
import { collected } from '../http/collected-body.js';
import { Network, type Connections } from '../http/network.js';
import { HttpFailure, type ResponseHeaders } from '../http/send-request.js';
import { OWN_BODY, streamRequest, type RequestBody } from '../http/stream-request.js';
import { Refusal } from '../protocol/refusal.js';
import { CallGate, type CallsState, type CircuitState, type Wait } from '../resilience/call-gate.js';
import { MAX_WAIT_FRACTION } from '../resilience/call-policy.js';
import { isWorthAnother, serviceFailure } from './service-call-failures.js';
import { serviceCallRules } from './service-call-rules.js';
import { ServicePaths } from './service-paths.js';
import type { ServiceTransportOptions } from './service-transport.js';

export type StreamingMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS' | 'QUERY';

export interface CallBody {
  /** Makes the body, anew for each try. */
  readonly open: () => RequestBody;
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
  /** A bound that is tighter than the service's own. */
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
  /** Fulfilled when nothing more will come. */
  readonly over: Promise<void>;
}

/** A time-out that is nothing of the service's: the body of the request did not come. */
class OwnTimeout extends Error {
  constructor(readonly failure: Error) {
    super();
  }
}

/**
 * Over kept-alive connections to one origin, and through a gate of the service's own. `timeoutMs` bounds the whole call; where a body
 * streams, in either direction, it bounds each time without progress, and what is collected from the begin of the answer on. A stream keeps its
 * slot until it is over. `maxResponseBytes` bounds what is collected.
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
   * `path` is that of `pathOf`. Any status is a response. Throws `ServiceCallError`, or the reason of `request.signal` when that aborted.
   * The stream of an answer fails in the same way. Both fail with the error of a body that fails by itself.
   */
  async send(request: StreamingRequest, path: string, authorization: string): Promise<StreamingResponse> {
    const { signal } = request;
    const { timeoutMs } = this.options;
    const call = (waitedMs: number, isTrial: boolean): Promise<StreamingResponse> =>
      this.#send(request, path, authorization, timeoutMs - waitedMs, isTrial);
    const leftMs = (): number => timeoutMs * MAX_WAIT_FRACTION;
    const wait: Wait = { leftMs, signal, isGivenUp: () => signal?.aborted === true };
    try {
      return await this.#gate.pass(call, wait, ({ over }) => over);
    } catch (error) {
      const ended = this.#gate.errorOf(error);
      const failure = ended instanceof OwnTimeout ? ended.failure : ended;
      const { method } = request;
      throw failure instanceof Refusal ? failure.add({ call: `${method} ${this.#paths.addressOf(path)}` }) : failure;
    }
  }

  get state(): CallsState {
    return this.#gate.state;
  }

  /** Scheme, host and port of all calls. */
  get origin(): string {
    return this.#paths.origin;
  }

  /** The path as it is sent. Throws `TypeError` for a URL that leads elsewhere. */
  pathOf({ url }: Pick<StreamingRequest, 'url'>): string {
    return this.#paths.of(url);
  }

  /** Where a call goes, for the log; `path` is as it is sent. */
  addressOf(path: string): string {
    return this.#paths.addressOf(path);
  }

  async #send(
    request: StreamingRequest,
    path: string,
    authorization: string,
    timeoutMs: number,
    isTrial: boolean,
  ): Promise<StreamingResponse> {
    const startMs = performance.now();
    return this.#exchange(request, path, authorization, timeoutMs, isTrial)
      .catch((error: unknown) => {
        if (!request.body.isRepeatable || !isWorthAnother(error, request.method)) throw error;
        const leftMs = Math.max(1, timeoutMs - (performance.now() - startMs));
        return this.#exchange(request, path, authorization, leftMs, isTrial);
      })
      .catch((error: unknown) => {
        const failure = serviceFailure(this.options.name, error) as Error;
        throw error instanceof HttpFailure && error.detail === OWN_BODY ? new OwnTimeout(failure) : failure;
      });
  }

  async #exchange(
    { method, headers, streams, signal, onSent, onReceived, maxResponseBytes = Infinity, ...request }: StreamingRequest,
    path: string,
    authorization: string,
    timeoutMs: number,
    isTrial: boolean,
  ): Promise<StreamingResponse> {
    const body = request.body.open();
    const lines = Object.entries({ 'accept-encoding': 'identity', authorization, ...headers }).flat();
    const isCollected = (status: number): boolean => !streams || !isSuccess(status);
    const answer = await streamRequest(this.#connections, {
      origin: this.#paths.origin,
      method,
      path,
      headers: lines,
      body,
      timeoutMs,
      // The trial call of a circuit, for which all others wait, must not be as slow as its sender likes.
      renewedBy: !streams && !(body instanceof Readable) ? 'nothing' : isTrial ? 'answer' : 'both',
      silenceMs: this.options.timeoutMs,
      signal,
      errorOf: (failure: HttpFailure) => serviceFailure(this.options.name, failure) as Error,
      onSent,
      onReceived,
      isCollected,
      maxResponseBytes: (status) =>
        isCollected(status) ? Math.min(maxResponseBytes, this.options.maxResponseBytes) : maxResponseBytes,
    });
    return isCollected(answer.status) ? { ...answer, body: await collected(answer.body) } : answer;
  }
}

const isSuccess = (status: number): boolean => status < 300;

/** Parsed JSON; undefined for whatever is none. */
export function jsonOf(body: StreamingResponse['body']): unknown {
  if (body instanceof Readable || body.length === 0) return undefined;
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
