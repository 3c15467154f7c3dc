/** Body pieces: a stream that is sent, in pieces that count as progress when they are taken. */
import type { Readable } from 'node:stream';
import { types } from 'node:util';

/** Small enough for a slow connection to take one within any time-out. */
const PIECE = 64 * 1024;

export interface Sender {
  /** So many bytes are taken now. */
  readonly taken: (bytes: number) => void;
  /** Whether the next piece is not there yet. */
  readonly waits: (isWaiting: boolean) => void;
}

/**
 * Reads `body` and does not destroy it: it may be a request that is still to be answered. Throws what `body` fails with, and `TypeError` for what no
 * request can carry, such as the objects of a database's cursor.
 */
export async function* piecesOf(body: Readable, { taken, waits }: Sender): AsyncGenerator<Uint8Array> {
  waits(true);
  for await (const chunk of body.iterator({ destroyOnReturn: false })) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as unknown);
    // An object has no length: it would be left out without a word.
    if (!types.isUint8Array(bytes)) throw new TypeError('A body that streams gives text or bytes, and nothing else');
    for (let at = 0; at < bytes.length; at += PIECE) {
      const piece = bytes.subarray(at, at + PIECE);
      taken(piece.length);
      waits(false);
      yield piece;
    }
    waits(true);
  }
  waits(false);
}
