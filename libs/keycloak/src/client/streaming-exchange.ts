/** StreamingExchange: a call with any body. Its answer can be a stream. For entry points of the library. */
import { Readable } from 'node:stream';
import { collected } from '../http/collected-body.js';
import type { HttpFailure, ResponseHeaders } from '../http/send-request.js';
import { streamRequest, type RequestBody } from '../http/stream-request.js';
import { serviceFailure } from './service-call-failures.js';
import type { Exchange, ServiceAnswer, ServiceTarget } from './service-transport.js';
import { withTrace } from './trace-headers.js';

export type StreamingMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS' | 'QUERY';

export interface CallBody {
  /** Returns a new body for each try. */
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
  /** The call owns this signal: it adds its address to a refusal that is the reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the number of bytes that were just sent, or just received. */
  readonly onSent?: ((bytes: number) => void) | undefined;
  readonly onReceived?: ((bytes: number, headers: Readonly<Record<string, string>>) => void) | undefined;
}

export interface StreamingResponse extends ServiceAnswer {
  readonly statusText: string;
  /** As they came: those that came more than once are lists. */
  readonly allHeaders: ResponseHeaders;
  readonly body: Readable | Buffer;
  /** Fulfilled when nothing more will come. */
  readonly over: Promise<void>;
}

/**
 * `timeoutMs` of the service bounds the whole call. If a body streams, in either direction, it bounds each pause instead. A collected answer
 * has that time from its first byte on, and at most `maxResponseBytes`.
 */
export class StreamingExchange implements Exchange<StreamingResponse> {
  readonly method: StreamingMethod;
  readonly signal: AbortSignal | undefined;
  readonly ownsSignal = true;
  readonly timeoutMs = undefined;
  readonly isRepeatable: boolean;

  constructor(private readonly request: StreamingRequest) {
    this.method = request.method;
    this.signal = request.signal;
    this.isRepeatable = request.body.isRepeatable;
  }

  readonly over = ({ over }: StreamingResponse): Promise<void> => over;

  async send(target: ServiceTarget, timeoutMs: number, isTrial: boolean): Promise<StreamingResponse> {
    const { connections, origin, path, authorization, trace, options } = target;
    const { method, headers, streams, signal, onSent, onReceived, maxResponseBytes = Infinity } = this.request;
    const body = this.request.body.open();
    const lines = { 'accept-encoding': 'identity', authorization: authorization ?? '', ...withTrace(headers, trace) };
    const isCollected = (status: number): boolean => !streams || status >= 300;
    const answer = await streamRequest(connections, {
      origin,
      method,
      path,
      headers: Object.entries(lines).flat(),
      body,
      timeoutMs,
      // The trial call of a circuit, for which all others wait, must not be as slow as its sender likes.
      renewedBy: !streams && !(body instanceof Readable) ? 'nothing' : isTrial ? 'answer' : 'both',
      silenceMs: options.timeoutMs,
      signal,
      errorOf: (failure: HttpFailure) => serviceFailure(options.name, failure) as Error,
      onSent,
      onReceived,
      isCollected,
      maxResponseBytes: (status) =>
        isCollected(status) ? Math.min(maxResponseBytes, options.maxResponseBytes) : maxResponseBytes,
    });
    return isCollected(answer.status) ? { ...answer, body: await collected(answer.body) } : answer;
  }
}
