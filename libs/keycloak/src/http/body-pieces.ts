import type { Readable } from 'node:stream';
import { types } from 'node:util';

/** The size of a piece in bytes; even a slow connection can send one piece within any time-out. */
const PIECE = 64 * 1024;

export interface Sender {
  readonly taken: (bytes: number) => void;
  readonly waits: (isWaiting: boolean) => void;
}

/** Does not destroy `body`, because `body` may be an incoming request that still needs an answer. */
export async function* piecesOf(body: Readable, { taken, waits }: Sender): AsyncGenerator<Uint8Array> {
  waits(true);
  for await (const chunk of body.iterator({ destroyOnReturn: false })) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as unknown);
    // Without this check, an object that has no `length` would be dropped silently.
    if (!types.isUint8Array(bytes)) throw new TypeError('A streamed body must consist of strings or bytes');
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
