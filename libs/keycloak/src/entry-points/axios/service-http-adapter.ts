import { Readable } from 'node:stream';
import axios, {
  AxiosError,
  isAxiosError,
  type AxiosAdapter,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
} from 'axios';
import { ServiceCallError, type ServiceCaller } from '../../index.js';
import { sendStreaming, type StreamingAnswer, type StreamingMethod } from '../ports/streaming-service.js';
import { answerData, type AnswerBody } from './answer-data.js';
import { failed } from './call-error.js';
import { Cancellation } from './cancellation.js';
import { progressOf } from './progress.js';
import { checkConfig } from './refused-config.js';
import { requestBody, type SentBody } from './request-body.js';

/** The config and the response do not contain the token. */
export function serviceHttpAdapter(caller: ServiceCaller): AxiosAdapter {
  const adapter: AxiosAdapter = async (config) => {
    checkConfig(caller.service, config);
    const body = requestBody(config.data, config.headers);
    const cancellation = new Cancellation(config);
    const end = (): void => {
      cancellation.end();
      body.release();
    };
    body.watch(cancellation.abort);
    const answer = await sent(caller, config, body, cancellation).catch((error: unknown) => {
      end();
      throw error instanceof ServiceCallError ? failed(error, config) : error;
    });
    cancellation.answered();
    void answer.response.over.then(end);
    return settled(config, answer);
  };
  OURS.add(adapter);
  return adapter;
}

export const isServiceHttpAdapter = (adapter: unknown): boolean => typeof adapter === 'function' && OURS.has(adapter);

const OURS = new WeakSet<object>();

function settled(config: InternalAxiosRequestConfig, answer: StreamingAnswer): AxiosResponse {
  const { body, status } = answer.response;
  try {
    if (config.validateStatus?.(status) ?? true) return responseOf(config, answer, body);
  } catch (error) {
    if (body instanceof Readable) body.destroy();
    throw error;
  }
  if (body instanceof Readable) body.destroy();
  // The error omits a body that contains the token, since errors may be logged.
  const isSafe = !(body instanceof Readable) && !answer.holdsToken(body.toString('latin1'));
  throw failed(answer.failure(), config, responseOf(config, answer, isSafe ? body : Buffer.alloc(0)));
}

async function sent(
  caller: ServiceCaller,
  config: InternalAxiosRequestConfig,
  body: SentBody,
  cancellation: Cancellation,
): Promise<StreamingAnswer> {
  const { service } = caller;
  const upload = progressOf(config.onUploadProgress, 'upload');
  const download = progressOf(config.onDownloadProgress, 'download');
  const maxSent = boundOf(service, 'maxBodyLength', config.maxBodyLength);
  const maxResponseBytes = boundOf(service, 'maxContentLength', config.maxContentLength);
  const timeoutMs = timeoutOf(service, config.timeout);
  let size = 0;
  if (timeoutMs > 0) {
    cancellation.after(timeoutMs, () => new ServiceCallError('service_timeout', service, 'timeout'));
  }
  return sendStreaming(caller, {
    method: methodOf(service, config.method),
    url: urlOf(service, config),
    headers: linesOf(config.headers),
    body: {
      isRepeatable: body.isRepeatable,
      open: () => {
        size = 0;
        upload?.restart();
        return body.open();
      },
    },
    streams: config.responseType === 'stream',
    maxResponseBytes,
    signal: cancellation.signal,
    onSent: (bytes) => {
      size += bytes;
      if (size > maxSent) cancellation.abort(new TypeError(`${service}: the body is longer than maxBodyLength`));
      upload?.add(bytes, config.headers.get('content-length'));
    },
    onReceived: download && ((bytes, headers) => download.add(bytes, headers['content-length'])),
  });
}

function urlOf(service: string, config: InternalAxiosRequestConfig): string {
  // axios itself would drop a fragment before a query, and would collapse leading slashes.
  if (/#|^\/\//.test(config.url ?? ''))
    throw new TypeError(`${service}: a URL must not contain "#" or begin with "//"`);
  try {
    return ALONE.getUri(config);
  } catch (error) {
    const isOfUrl = error instanceof URIError || (isAxiosError(error) && error.code === AxiosError.ERR_INVALID_URL);
    throw isOfUrl ? new TypeError(`${service}: the URL or its query is malformed`) : error;
  }
}

const ALONE = new axios.Axios({});

/** In axios, -1 means no limit; `NaN` is refused, because no size exceeds `NaN`. */
function boundOf(service: string, name: string, bytes: number | null | undefined = Infinity): number {
  if (Number.isNaN(Number(bytes))) throw new TypeError(`${service}: ${name} must be a number of bytes`);
  return bytes === null || bytes < 0 ? Infinity : bytes;
}

/** Node fires a timer immediately if its delay exceeds this maximum. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** As in axios, 0 means no timeout. */
function timeoutOf(service: string, timeout: number | undefined = 0): number {
  const ms = Number(timeout);
  if (!(ms >= 0)) throw new TypeError(`${service}: timeout must be a number of milliseconds, or 0 for no timeout`);
  return Math.min(ms, MAX_TIMER_MS);
}

const METHODS: ReadonlySet<string> = new Set<StreamingMethod>([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'QUERY',
]);

function methodOf(service: string, method = 'get'): StreamingMethod {
  const upper = method.toUpperCase();
  if (!METHODS.has(upper)) throw new TypeError(`${service}: calls can't use the method ${JSON.stringify(method)}`);
  return upper as StreamingMethod;
}

function linesOf(headers: InternalAxiosRequestConfig['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers.toJSON(true)).map(([name, value]) => [name, String(value)]));
}

function responseOf(config: InternalAxiosRequestConfig, answer: StreamingAnswer, body: AnswerBody): AxiosResponse {
  const { status, allHeaders } = answer.response;
  const statusText = answer.holdsToken(answer.response.statusText) ? '' : answer.response.statusText;
  const headers = Object.entries(allHeaders).filter(([, value]) => !answer.holdsToken(String(value)));
  return { status, statusText, headers: Object.fromEntries(headers) as never, config, data: answerData(body, config) };
}
