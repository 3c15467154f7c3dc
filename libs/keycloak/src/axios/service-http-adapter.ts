/** Service HTTP adapter: sends what axios was asked to send as a call of one service, and gives no request out. */
import { Readable } from 'node:stream';
import axios, { type AxiosAdapter, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { ServiceCallError } from '../index.js';
import type { StreamingAnswer, StreamingMethod, StreamingServiceCaller } from '../ports/streaming-service.js';
import { answerData, type AnswerBody } from './answer-data.js';
import { withAnswer } from './call-error.js';
import { Cancellation } from './cancellation.js';
import { progressOf } from './progress.js';
import { checkConfig } from './refused-config.js';
import { requestBody } from './request-body.js';

/**
 * An adapter whose calls carry the token of `caller`, which is added behind it: no config and no answer leads to it.
 *
 * Rejects with what `StreamingServiceCaller.send` throws, with axios' `CanceledError`, or with `TypeError` for a config that can't be
 * heeded.
 */
export function serviceHttpAdapter(caller: StreamingServiceCaller): AxiosAdapter {
  return async (config) => {
    checkConfig(caller.service, config);
    const cancellation = new Cancellation(config);
    const answer = await sent(caller, config, cancellation).catch((error: unknown) => {
      cancellation.end();
      throw error instanceof ServiceCallError ? withAnswer(error, config) : error;
    });
    const { body, status } = answer.response;
    if (body instanceof Readable) body.once('close', () => cancellation.end());
    else cancellation.end();
    if (config.validateStatus?.(status) ?? true) return responseOf(config, answer, body);
    // What an error holds is logged sooner or later.
    const isSafe = !(body instanceof Readable) && !answer.holdsToken(body.toString('latin1'));
    throw withAnswer(answer.failure(), config, responseOf(config, answer, isSafe ? body : Buffer.alloc(0)));
  };
}

async function sent(
  caller: StreamingServiceCaller,
  config: InternalAxiosRequestConfig,
  cancellation: Cancellation,
): Promise<StreamingAnswer> {
  const { service } = caller;
  const body = requestBody(config.data, config.headers);
  const upload = progressOf(config.onUploadProgress, 'upload');
  const download = progressOf(config.onDownloadProgress, 'download');
  const maxSent = boundOf(config.maxBodyLength);
  let size = 0;
  return caller.send({
    method: methodOf(service, config.method),
    url: axios.getUri(config),
    headers: linesOf(config.headers),
    body: {
      ...body,
      open: () => {
        size = 0;
        upload?.restart();
        return body.open();
      },
    },
    streams: config.responseType === 'stream',
    timeoutMs: config.timeout === 0 ? undefined : config.timeout,
    maxResponseBytes: boundOf(config.maxContentLength),
    signal: cancellation.signal,
    onSent: (bytes) => {
      size += bytes;
      if (size > maxSent) cancellation.abort(new TypeError(`${service}: the body has more bytes than maxBodyLength`));
      upload?.add(bytes, config.headers.get('content-length'));
    },
    onReceived: download && ((bytes, headers) => download.add(bytes, headers['content-length'])),
  });
}

/** axios says -1 for "no bound". */
const boundOf = (bytes: number | undefined): number => (bytes === undefined || bytes < 0 ? Infinity : bytes);

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
  if (!METHODS.has(upper)) throw new TypeError(`${service}: ${JSON.stringify(method)} is not a method of its calls`);
  return upper as StreamingMethod;
}

function linesOf(headers: InternalAxiosRequestConfig['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers.toJSON(true)).map(([name, value]) => [name, String(value)]));
}

function responseOf(config: InternalAxiosRequestConfig, answer: StreamingAnswer, body: AnswerBody): AxiosResponse {
  const { status, statusText, allHeaders } = answer.response;
  const headers = Object.entries(allHeaders).filter(([, value]) => !answer.holdsToken(String(value)));
  return { status, statusText, headers: Object.fromEntries(headers) as never, config, data: answerData(body, config) };
}
