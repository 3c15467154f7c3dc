import { PassThrough, Readable } from 'node:stream';
import type { AxiosHeaders } from 'axios';
import type { CallBody } from '../ports/streaming-service.js';
import { formBody } from './form-body.js';

export interface SentBody extends CallBody {
  readonly watch: (fail: (error: Error) => void) => void;
  readonly release: () => void;
}

interface FormStream extends Readable {
  getHeaders(): Record<string, string>;
}

export function requestBody(data: unknown, headers: AxiosHeaders): SentBody {
  if (data === undefined || data === null) {
    // axios sets `Content-Type` on every POST request, even without a body.
    headers.delete('Content-Type');
    return repeatable(() => undefined);
  }
  if (data instanceof FormData) {
    const form = formBody(data);
    headers.set({ 'Content-Type': form.contentType, 'Content-Length': String(form.length) });
    return repeatable(() => withErrorListener(Readable.from(form.open(), { objectMode: false })));
  }
  if (data instanceof Blob) {
    if (data.type !== '') headers.setContentType(data.type, false);
    headers.set('Content-Length', String(data.size));
    return repeatable(() => withErrorListener(Readable.fromWeb(data.stream() as WebStream)));
  }
  if (data instanceof ReadableStream) return streamBody(Readable.fromWeb(data as WebStream));
  if (isStream(data)) {
    if (isFormStream(data)) headers.set(data.getHeaders());
    return streamBody(data instanceof Readable ? data : asNodeStream(data));
  }
  const bytes = bytesOf(data);
  return repeatable(() => bytes);
}

type WebStream = Parameters<typeof Readable.fromWeb>[0];

const nothing = (): void => undefined;

const repeatable = (open: CallBody['open']): SentBody => ({
  isRepeatable: true,
  open,
  watch: nothing,
  release: nothing,
});

/** An unhandled `error` event after an early response would end the process. */
const withErrorListener = (stream: Readable): Readable => stream.on('error', nothing);

function streamBody(body: Readable): SentBody {
  return {
    isRepeatable: false,
    open: () => body,
    watch(fail) {
      const early = new Error('The body of the request ended too early');
      if (body.errored !== null || body.destroyed || body.readableEnded) fail(body.errored ?? early);
      body.on('error', fail).once('close', () => (body.readableEnded ? undefined : fail(early)));
    },
    release() {
      // An incoming request is not destroyed: its server needs the socket to respond.
      if (!('socket' in body)) body.destroy();
    },
  };
}

function asNodeStream(stream: Readable): Readable {
  const read = new PassThrough();
  stream.on('error', (error: Error) => read.destroy(error));
  // `form-data` closes its files only at their end, so the rest of a failed call's form is read and discarded.
  if (isFormStream(stream)) read.once('close', () => read.readableEnded || stream.resume());
  return stream.pipe(read);
}

function bytesOf(data: unknown): string | Uint8Array {
  if (typeof data === 'string' || data instanceof Uint8Array) return data;
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  throw new TypeError('After transformRequest, the body must be a string, bytes, a form or a stream');
}

const isStream = (data: unknown): data is Readable =>
  typeof data === 'object' && typeof (data as { readonly pipe?: unknown }).pipe === 'function';

const isFormStream = (data: Readable): data is FormStream =>
  typeof (data as Partial<FormStream>).getHeaders === 'function';
