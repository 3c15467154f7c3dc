/** Request body: what axios was given to send, as it goes over the wire. */
import { Readable } from 'node:stream';
import type { AxiosHeaders } from 'axios';
import type { CallBody } from '../ports/streaming-service.js';

/** A form of the `form-data` package, by what it does: a stream that is read once. */
interface FormStream extends Readable {
  getHeaders(): Record<string, string>;
}

/**
 * `data` is what axios' `transformRequest` left: text, bytes, a form, or a stream. Sets the headers that belong to it.
 *
 * Throws `TypeError` for anything else.
 */
export function requestBody(data: unknown, headers: AxiosHeaders): CallBody {
  if (data === undefined || data === null) {
    // axios says it of each POST, also of one without a body.
    headers.delete('Content-Type');
    return { isRepeatable: true, open: () => ({ body: undefined }) };
  }
  if (data instanceof FormData) return formBody(data, headers);
  if (data instanceof Blob) {
    if (data.type !== '') headers.setContentType(data.type, false);
    headers.set('Content-Length', String(data.size));
    return { isRepeatable: true, open: () => ({ body: Readable.fromWeb(data.stream() as WebStream) }) };
  }
  if (data instanceof ReadableStream) return streamBody(Readable.fromWeb(data as WebStream));
  if (isStream(data)) {
    if (isFormStream(data)) headers.set(data.getHeaders());
    return streamBody(data);
  }
  const bytes = bytesOf(data);
  return { isRepeatable: true, open: () => ({ body: bytes }) };
}

type WebStream = Parameters<typeof Readable.fromWeb>[0];

const streamBody = (body: Readable): CallBody => ({ isRepeatable: false, open: () => ({ body }) });

/** Each try has a stream and a boundary of its own, by Node's encoder (RFC 7578). */
function formBody(form: FormData, headers: AxiosHeaders): CallBody {
  headers.delete('Content-Type');
  const open: CallBody['open'] = () => {
    const encoded = new Response(form);
    const body = Readable.fromWeb(encoded.body as WebStream);
    return { body, headers: { 'content-type': encoded.headers.get('content-type') ?? '' } };
  };
  return { isRepeatable: true, open };
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
