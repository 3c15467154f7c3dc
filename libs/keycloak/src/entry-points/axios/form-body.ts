import { randomBytes } from 'node:crypto';

export interface FormBody {
  readonly contentType: string;
  /** In bytes. */
  readonly length: number;
  readonly open: () => AsyncGenerator<Uint8Array>;
}

/**
 * Encodes a copy of the form's entries as `multipart/form-data` (RFC 7578).
 *
 * In Node 24 and later, `new Response(form)` ends the process if a file is unreadable
 * (https://github.com/nodejs/undici/issues/5835).
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

/** Normalizes line breaks in names and texts (HTML Standard, "multipart/form-data encoding algorithm"). */
const lines = (text: string): string => text.replace(/\r\n?|\n/g, '\r\n');

const escaped = (name: string): string => name.replaceAll('\r', '%0D').replaceAll('\n', '%0A').replaceAll('"', '%22');
