import { finished, type Readable } from 'node:stream';

const NOTHING = Buffer.alloc(0);

export class CollectedBody {
  /** The first chunk itself, or a larger buffer if more chunks arrive (most answers have a single chunk). */
  #bytes: Buffer = NOTHING;
  #size = 0;

  constructor(private readonly maxBytes: number) {}

  add(chunk: Buffer): boolean {
    const size = this.#size + chunk.length;
    if (size > this.maxBytes) return false;
    if (this.#size === 0) this.#bytes = chunk;
    else this.#append(chunk, size);
    this.#size = size;
    return true;
  }

  /** Copies `chunk`, because even a one-byte chunk would keep its whole socket buffer in memory. */
  #append(chunk: Buffer, size: number): void {
    if (this.#bytes.length < size) {
      const larger = Buffer.allocUnsafe(Math.min(size * 2, this.maxBytes));
      this.#bytes.copy(larger, 0, 0, this.#size);
      this.#bytes = larger;
    }
    chunk.copy(this.#bytes, this.#size);
  }

  get bytes(): Buffer {
    return this.#bytes.length === this.#size ? this.#bytes : this.#bytes.subarray(0, this.#size);
  }
}

export async function collected(stream: Readable): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const body = new CollectedBody(Infinity);
    stream.on('data', (chunk: Buffer) => body.add(chunk));
    // `finished` also reports a stream that has failed already.
    finished(stream, (error) => (error === null || error === undefined ? resolve(body.bytes) : reject(error)));
  });
}
