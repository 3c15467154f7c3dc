/** Form body: a form of the platform as `multipart/form-data` (RFC 7578), as `fetch` sends it. */
import { randomBytes } from 'node:crypto';

/** A form as it is sent. Each call of `open` reads its files anew. */
export interface FormBody {
  readonly contentType: string;
  /** In bytes, by the sizes that the files say. */
  readonly length: number;
  /** Throws what a file fails with that can't be read any more. */
  readonly open: () => AsyncGenerator<Uint8Array>;
}

/**
 * Takes the entries when it is called, as they are then.
 *
 * Node's own encoder, `new Response(form)`, is not used: from Node 24 on, a file that can't be read leaves the reader waiting for ever and ends the
 * process by an unhandled rejection (https://github.com/nodejs/undici/issues/5835).
 */
export function formBody(form: FormData): FormBody {
  const boundary = `form-${randomBytes(16).toString('hex')}`;
  const parts: (Uint8Array | File)[] = [];
  for (const [name, value] of form) {
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${escaped(lines(name))}"`;
    if (typeof value === 'string') parts.push(Buffer.from(`${head}\r\n\r\n${lines(value)}\r\n`));
    else {
      const type = value.type === '' ? 'application/octet-stream' : value.type;
      const file = `; filename="${escaped(value.name)}"\r\nContent-Type: ${type}\r\n\r\n`;
      parts.push(Buffer.from(head + file), value, Buffer.from('\r\n'));
    }
  }
  parts.push(Buffer.from(`--${boundary}--\r\n`));
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    length: parts.reduce((sum, part) => sum + ('size' in part ? part.size : part.length), 0),
    async *open() {
      for (const part of parts) {
        if ('stream' in part) yield* part.stream() as unknown as AsyncIterable<Uint8Array>;
        else yield part;
      }
    },
  };
}

/** What the Fetch Standard has of line breaks in names and texts ("multipart/form-data encoding algorithm"). */
const lines = (text: string): string => text.replace(/\r\n?|\n/g, '\r\n');

const escaped = (name: string): string => name.replaceAll('\r', '%0D').replaceAll('\n', '%0A').replaceAll('"', '%22');
