/** Collected body: what comes in pieces, as one, in hardly more memory than it has bytes. */
import { finished, type Readable } from 'node:stream';

const NOTHING = Buffer.alloc(0);

export class CollectedBody {
  /** The first piece itself, since most answers are one; else room for what has come and may come. */
  #bytes: Buffer = NOTHING;
  #size = 0;

  constructor(private readonly maxBytes: number) {}

  /** False when that would be too much. */
  add(chunk: Buffer): boolean {
    const size = this.#size + chunk.length;
    if (size > this.maxBytes) return false;
    if (this.#size === 0) this.#bytes = chunk;
    else this.#append(chunk, size);
    this.#size = size;
    return true;
  }

  /** Copied: a piece of one byte takes a hundred as an object, and keeps what the socket has read with it. */
  #append(chunk: Buffer, size: number): void {
    if (this.#bytes.length < size) {
      const roomier = Buffer.allocUnsafe(Math.min(size * 2, this.maxBytes));
      this.#bytes.copy(roomier, 0, 0, this.#size);
      this.#bytes = roomier;
    }
    chunk.copy(this.#bytes, this.#size);
  }

  get bytes(): Buffer {
    return this.#bytes.length === this.#size ? this.#bytes : this.#bytes.subarray(0, this.#size);
  }
}

/** All of a stream that bounds itself. Rejects with its error. */
export async function collected(stream: Readable): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const body = new CollectedBody(Infinity);
    stream.on('data', (chunk: Buffer) => body.add(chunk));
    // Also of a stream that has failed already.
    finished(stream, (error) => (error === null || error === undefined ? resolve(body.bytes) : reject(error)));
  });
}
