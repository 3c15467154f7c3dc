/** Answer data: the body of an answer in the form that `responseType` asks for. */
import { Readable } from 'node:stream';
import type { AxiosRequestConfig } from 'axios';

export type AnswerBody = Readable | Buffer;

/** As axios' own adapter for Node does it: bytes, a stream, or text, which `transformResponse` then parses. */
export function answerData(body: AnswerBody, { responseType, responseEncoding }: AxiosRequestConfig): unknown {
  if (body instanceof Readable) return body;
  switch (responseType) {
    // An answer that is no success was collected.
    case 'stream':
      return Readable.from(body.length === 0 ? [] : [body]);
    case 'arraybuffer':
      // With an ArrayBuffer of its own, as long as it is.
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
