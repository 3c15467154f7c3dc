import { sendRequest, type HttpResponse } from '../http/send-request.js';
import { gunzipped, isGzip, isPacked, isTooLong } from './content-coding.js';
import { ServiceCallError } from './service-call-error.js';
import type { Exchange, ServiceAnswer, ServiceTarget } from './service-transport.js';
import { UNTRACED, withTrace } from './trace-headers.js';

export interface JsonRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Additional headers. An `Accept` header replaces the default `Accept` header. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
  readonly responseType?: 'json' | 'text' | undefined;
}

export class JsonExchange implements Exchange<ServiceAnswer> {
  readonly method: JsonRequest['method'];
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number | undefined;
  readonly ownsSignal = false;
  readonly isRepeatable = true;
  readonly over = undefined;

  constructor(private readonly request: JsonRequest) {
    this.method = request.method;
    this.signal = request.signal;
    this.timeoutMs = request.timeoutMs;
  }

  async send(target: ServiceTarget, timeoutMs: number): Promise<ServiceAnswer> {
    const { connections, origin, path, options } = target;
    const { method, body, signal } = this.request;
    const { maxResponseBytes } = options;
    const headers = headerLines(this.request, target);
    const exchange = { origin, method, path, headers, body, timeoutMs, maxResponseBytes, signal };
    const answer = await sendRequest(connections, exchange);
    const { status } = answer;
    // This is a fast path, because most answers have no content coding.
    const isPlain = answer.headers['content-encoding'] === undefined;
    const text = isPlain ? answer.body.toString('utf8') : await unpacked(answer, target);
    const isText = this.request.responseType === 'text' && status < 300;
    return { status, headers: answer.headers, body: isText ? text : parsed(options.name, status, text) };
  }
}

const ACCEPTED = { json: 'application/json', text: 'text/*, */*;q=0.1' };

/** Returns a flat list in which header names and values alternate (perf: service-client). */
function headerLines(request: JsonRequest, { authorization, trace, options }: ServiceTarget): string[] {
  const lines = ['accept-encoding', options.gzip === true ? 'gzip' : 'identity'];
  if (authorization !== undefined) lines.push('authorization', authorization);
  if (request.body !== undefined) lines.push('content-type', 'application/json');
  let accepts = false;
  const headers = (trace === UNTRACED ? request.headers : withTrace(request.headers, trace)) ?? {};
  for (const name of Object.keys(headers)) {
    accepts ||= name.toLowerCase() === 'accept';
    lines.push(name, headers[name] ?? '');
  }
  if (!accepts) lines.push('accept', ACCEPTED[request.responseType ?? 'json']);
  return lines;
}

async function unpacked({ status, headers, body }: HttpResponse, { options }: ServiceTarget): Promise<string> {
  if (!isPacked(headers) || body.length === 0) return body.toString('utf8');
  let reason: 'answer_not_as_agreed' | 'answer_too_large' = 'answer_not_as_agreed';
  try {
    if (options.gzip === true && isGzip(headers)) return await gunzipped(body, options.maxResponseBytes);
  } catch (error) {
    if (isTooLong(error)) reason = 'answer_too_large';
  }
  if (status >= 300) return '';
  throw new ServiceCallError('service_failed', options.name, reason, { status });
}

function parsed(service: string, status: number, body: string): unknown {
  if (body === '') return undefined;
  try {
    return JSON.parse(body) as unknown;
  } catch {
    // An error or a redirect may have an HTML page instead of JSON.
    if (status >= 300) return undefined;
    throw new ServiceCallError('service_failed', service, 'answer_not_json', { status });
  }
}
