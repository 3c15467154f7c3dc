/** Request body: what axios was given to send, as it goes over the wire. */
import { PassThrough, Readable } from 'node:stream';
import type { AxiosHeaders } from 'axios';
import type { CallBody } from '../ports/streaming-service.js';
import { formBody } from './form-body.js';

/** A body, which may be a stream that somebody made before it is sent. */
export interface SentBody extends CallBody {
  /** Calls `fail` as soon as the stream fails by itself, or ends too early, at once if it has. */
  readonly watch: (fail: (error: Error) => void) => void;
  /** The call came to nothing: what nobody will read any more is closed. */
  readonly release: () => void;
}

/** A form of the `form-data` package, by what it does: a stream that is read once. */
interface FormStream extends Readable {
  getHeaders(): Record<string, string>;
}

/**
 * `data` is what axios' `transformRequest` left: text, bytes, a form, or a stream. Sets the headers that belong to it.
 *
 * Throws `TypeError` for anything else.
 */
export function requestBody(data: unknown, headers: AxiosHeaders): SentBody {
  if (data === undefined || data === null) {
    // axios says it of each POST, also of one without a body.
    headers.delete('Content-Type');
    return repeatable(() => undefined);
  }
  if (data instanceof FormData) {
    const form = formBody(data);
    headers.set({ 'Content-Type': form.contentType, 'Content-Length': String(form.length) });
    return repeatable(() => heard(Readable.from(form.open(), { objectMode: false })));
  }
  if (data instanceof Blob) {
    if (data.type !== '') headers.setContentType(data.type, false);
    headers.set('Content-Length', String(data.size));
    return repeatable(() => heard(Readable.fromWeb(data.stream() as WebStream)));
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

/** Of one try. Who sends it hears that it fails; after an answer that came early nobody sends it any more, and an error that nobody hears ends the process. */
const heard = (stream: Readable): Readable => stream.on('error', nothing);

function streamBody(body: Readable): SentBody {
  return {
    isRepeatable: false,
    open: () => body,
    watch(fail) {
      const early = new Error('The body of the request ended before its end');
      if (body.errored !== null || body.destroyed || body.readableEnded) fail(body.errored ?? early);
      body.on('error', fail).once('close', () => (body.readableEnded ? undefined : fail(early)));
    },
    release() {
      // That of a request that is being served is its server's: without its socket, nobody could answer it.
      if (!('socket' in body)) body.destroy();
    },
  };
}

/** Some packages have streams of their own, which look like those of Node and are none. */
function asNodeStream(stream: Readable): Readable {
  const read = new PassThrough();
  stream.on('error', (error: Error) => read.destroy(error));
  return stream.pipe(read);
}

function bytesOf(data: unknown): string | Uint8Array {
  if (typeof data === 'string' || data instanceof Uint8Array) return data;
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  throw new TypeError('After transformRequest, a body is text, bytes, a form or a stream');
}

const isStream = (data: unknown): data is Readable =>
  typeof data === 'object' && typeof (data as { readonly pipe?: unknown }).pipe === 'function';

const isFormStream = (data: Readable): data is FormStream =>
  typeof (data as Partial<FormStream>).getHeaders === 'function';
