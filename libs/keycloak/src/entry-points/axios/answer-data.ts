import { Readable } from 'node:stream';
import type { AxiosRequestConfig } from 'axios';

export type AnswerBody = Readable | Buffer;

/** Converts the body as axios' Node adapter does; `transformResponse` parses the text afterwards. */
export function answerData(body: AnswerBody, { responseType, responseEncoding }: AxiosRequestConfig): unknown {
  if (body instanceof Readable) return body;
  switch (responseType) {
    // For a status of 300 or above, `sendStreaming()` has already collected the body.
    case 'stream':
      return Readable.from(body.length === 0 ? [] : [body]);
    case 'arraybuffer':
      // If a Buffer is a view of a larger ArrayBuffer, `data.buffer` also contains unrelated bytes.
      return body.byteLength === body.buffer.byteLength ? body : Buffer.from(new Uint8Array(body).buffer);
    case 'blob':
      return new Blob([body]);
    default:
      return textOf(body, responseEncoding);
  }
}

function textOf(body: Buffer, encoding: AxiosRequestConfig['responseEncoding'] = 'utf8'): string {
  const text = body.toString(encoding as BufferEncoding);
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}
