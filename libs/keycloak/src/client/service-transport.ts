/** ServiceTransport: JSON to and from one service; whatever goes wrong leaves it as a ServiceCallError. */
import { systemClock, type Clock } from '../caching/clock.js';
import { sendRequest, type HttpRequest, type HttpResponse } from '../http/send-request.js';
import { Network, type Connections, type TrustedAuthorities } from '../http/network.js';
import { Refusal } from '../protocol/refusal.js';
import {
  CallGate,
  type CallGateOptions,
  type CallsState,
  type CircuitState,
  type Wait,
} from '../resilience/call-gate.js';
import { MAX_WAIT_FRACTION } from '../resilience/call-policy.js';
import { gunzipped, isGzip, isPacked, isTooLong } from './content-coding.js';
import { ServiceCallError } from './service-call-error.js';
import { isWorthAnother, serviceFailure } from './service-call-failures.js';
import { serviceCallRules } from './service-call-rules.js';
import { ServicePaths } from './service-paths.js';

export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From the service's base URL, with a leading slash. */
  readonly path: string;
  readonly authorization?: string;
  /** Further ones; `Accept` among them takes the place of JSON. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** JSON. */
  readonly body?: string | undefined;
  readonly signal?: AbortSignal;
  /** In place of the service's own. */
  readonly timeoutMs?: number;
  /** What a success is read as. Default JSON. */
  readonly answer?: 'json' | 'text';
}

export interface TransportResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface ServiceTransportOptions extends CallGateOptions {
  readonly name: string;
  readonly baseUrl: string;
  /** Bound on a call as its caller sees it: waiting, and its answer. */
  readonly timeoutMs: number;
  readonly maxResponseBytes: number;
  /** Whether answers are asked for in gzip. Default false. */
  readonly gzip?: boolean;
  readonly tls?: TrustedAuthorities;
}

/**
 * Over kept-alive connections to one origin, as many as calls may run at once, and through a gate of the service's own: no redirect or absolute URL can take a token elsewhere.
 */
export class ServiceTransport {
  readonly #paths: ServicePaths;
  readonly #connections: Connections;
  readonly #gate: CallGate<TransportResponse>;

  constructor(
    private readonly options: ServiceTransportOptions,
    network = new Network(),
    clock: Clock = systemClock,
    onCircuit?: (state: CircuitState) => void,
  ) {
    this.#gate = new CallGate(options, serviceCallRules(options.name), clock, onCircuit);
    this.#paths = new ServicePaths(options.name, options.baseUrl);
    this.#connections = network.toService(options);
  }

  /**
   * `path` is the result of `pathOf`. Any status is a response. Throws `ServiceCallError`, or the reason of `request.signal` when that
   * aborted; without `path`, what `pathOf` throws.
   */
  async send(request: TransportRequest, path = this.pathOf(request.path)): Promise<TransportResponse> {
    const { method, body, signal, timeoutMs: boundMs = this.options.timeoutMs } = request;
    const headers = headerLines(request, this.options.gzip === true);
    const { origin } = this.#paths;
    const { maxResponseBytes } = this.options;
    // Timed by the request itself, which is cheaper than a deadline around it (perf: service-client).
    const isHasty = boundMs < this.options.timeoutMs;
    let hasRunOut = false;
    const call = (waitedMs: number, isTrial: boolean): Promise<TransportResponse> => {
      // While one call is tried, all others fail: it must not be as slow as its caller likes.
      const timeoutMs = (isTrial ? Math.min(boundMs, this.options.timeoutMs) : boundMs) - waitedMs;
      const exchange = { origin, method, path, headers, body, timeoutMs, maxResponseBytes, signal };
      const sent = this.#send(exchange, timeoutMs, request.answer);
      if (!isHasty) return sent;
      return sent.catch((error: unknown) => {
        hasRunOut = error instanceof ServiceCallError && error.reason === 'timeout';
        throw error;
      });
    };
    // A time shorter than the service's own says nothing of the service.
    const isGivenUp = (): boolean => hasRunOut || signal?.aborted === true;
    const wait: Wait = { leftMs: () => boundMs * MAX_WAIT_FRACTION, signal, isGivenUp };
    try {
      return await this.#gate.pass(call, wait);
    } catch (error) {
      const failure = this.#gate.errorOf(error);
      // The reason of a signal is its caller's, and may end many calls.
      const isOurs = failure instanceof Refusal && failure !== signal?.reason;
      throw isOurs ? failure.add({ call: `${method} ${this.#paths.addressOf(path)}` }) : failure;
    }
  }

  get state(): CallsState {
    return this.#gate.state;
  }

  /** Scheme, host and port of all calls. */
  get origin(): string {
    return this.#paths.origin;
  }

  /** The path as it is sent. Throws `TypeError` for one that leads elsewhere, or that would not be sent as it was given. */
  pathOf(path: string): string {
    return this.#paths.below(path);
  }

  /** Where a call goes, for the log; `path` is as it is sent. */
  addressOf(path: string): string {
    return this.#paths.addressOf(path);
  }

  async #send(
    exchange: HttpRequest,
    timeoutMs: number,
    answer: TransportRequest['answer'],
  ): Promise<TransportResponse> {
    const startMs = performance.now();
    try {
      return this.#answer(await sendRequest(this.#connections, exchange), answer);
    } catch (error) {
      if (!isWorthAnother(error, exchange.method)) throw serviceFailure(this.options.name, error);
      const left = { ...exchange, timeoutMs: Math.max(1, timeoutMs - (performance.now() - startMs)) };
      return sendRequest(this.#connections, left).then(
        (response) => this.#answer(response, answer),
        (second: unknown) => Promise.reject(serviceFailure(this.options.name, second) as Error),
      );
    }
  }

  /** At once where nothing is packed (perf: service-client). */
  #answer(response: HttpResponse, as: TransportRequest['answer']): TransportResponse | Promise<TransportResponse> {
    return isPacked(response.headers) && response.body.length > 0
      ? this.#unpacked(response).then((text) => this.#answered(response, text, as))
      : this.#answered(response, response.body.toString('utf8'), as);
  }

  #answered({ status, headers }: HttpResponse, text: string, as: TransportRequest['answer']): TransportResponse {
    return { status, headers, body: as === 'text' && status < 300 ? text : this.#parse(status, text) };
  }

  /** `maxResponseBytes` is the bound on what comes out, too. */
  async #unpacked({ status, headers, body }: HttpResponse): Promise<string> {
    const { name, gzip, maxResponseBytes } = this.options;
    let reason: 'answer_not_as_agreed' | 'answer_too_large' = 'answer_not_as_agreed';
    try {
      if (gzip === true && isGzip(headers)) return await gunzipped(body, maxResponseBytes);
    } catch (error) {
      if (isTooLong(error)) reason = 'answer_too_large';
    }
    // Of an error, or a redirect, the status says enough.
    if (status >= 300) return '';
    throw new ServiceCallError('service_failed', name, reason, { status });
  }

  #parse(status: number, body: string): unknown {
    if (body === '') return undefined;
    try {
      return JSON.parse(body) as unknown;
    } catch {
      // What the page of an error or of a redirect says is of no use; a success that is not JSON is a failure.
      if (status >= 300) return undefined;
      throw new ServiceCallError('service_failed', this.options.name, 'answer_not_json', { status });
    }
  }
}

const ACCEPTED = { json: 'application/json', text: 'text/*, */*;q=0.1' };

/** Names and values in turn (perf: service-client). */
function headerLines({ authorization, headers = {}, body, answer }: TransportRequest, gzip: boolean): string[] {
  const lines = ['accept-encoding', gzip ? 'gzip' : 'identity'];
  if (authorization !== undefined) lines.push('authorization', authorization);
  if (body !== undefined) lines.push('content-type', 'application/json');
  let accepts = false;
  for (const name of Object.keys(headers)) {
    accepts ||= name.toLowerCase() === 'accept';
    lines.push(name, headers[name] ?? '');
  }
  if (!accepts) lines.push('accept', ACCEPTED[answer ?? 'json']);
  return lines;
}
