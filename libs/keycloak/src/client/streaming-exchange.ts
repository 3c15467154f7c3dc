import { Readable } from 'node:stream';
import { collected } from '../http/collected-body.js';
import type { HttpFailure, ResponseHeaders } from '../http/send-request.js';
import { streamRequest, type RequestBody } from '../http/stream-request.js';
import { serviceFailure } from './service-call-failures.js';
import type { Exchange, ServiceAnswer, ServiceTarget } from './service-transport.js';
import { withTrace } from './trace-headers.js';

export type StreamingMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS' | 'QUERY';

export interface CallBody {
  readonly open: () => RequestBody;
  readonly isRepeatable: boolean;
}

export interface StreamingRequest {
  readonly method: StreamingMethod;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: CallBody;
  readonly streams: boolean;
  readonly maxResponseBytes?: number | undefined;
  /**
   * A signal that no other call uses. If the abort reason is a `KeycloakException`, the library adds the call to the
   * exception.
   */
  readonly signal?: AbortSignal | undefined;
  readonly onSent?: ((bytes: number) => void) | undefined;
  readonly onReceived?: ((bytes: number, headers: Readonly<Record<string, string>>) => void) | undefined;
}

export interface StreamingResponse extends ServiceAnswer {
  readonly statusText: string;
  readonly allHeaders: ResponseHeaders;
  readonly body: Readable | Buffer;
  readonly over: Promise<void>;
}

/**
 * The service's `timeoutMs` limits the whole call. If the request body or the answer is streamed, `timeoutMs` instead
 * limits each pause in the stream. A collected answer must be complete within `timeoutMs` after its first byte.
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

  async send(target: ServiceTarget, timeoutMs: number): Promise<StreamingResponse> {
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
      isRenewed: streams || body instanceof Readable,
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
