/** Stream gap: how a replica finds that it has missed something of the stream. */
import type { StreamPage, StreamPlace } from './revocation-stream.js';

/** Where this replica is in the stream. */
export interface Place extends StreamPlace {
  /** The id of the entry there; undefined where nothing was read yet, so that any may come first. */
  readonly tip: string | undefined;
}

/** Something may be missing: for this replica, or, in an `epoch` that does not hold together, for everybody. */
export class Gap extends Error {
  constructor(
    reason: string,
    readonly epoch?: string,
  ) {
    super(reason);
  }
}

/** Throws `Gap` where the stream is not the one of which `place` is a part. */
export function checkSame({ epoch, position, tip }: Place, page: StreamPage): void {
  if (page.epoch !== epoch) throw new Gap('another_epoch');
  if (page.last < position) throw new Gap('rolled_back');
  if (page.first > position + 1) throw new Gap('dropped_unread');
  if (page.last === position && tip !== undefined && page.tip !== tip) throw new Gap('another_past');
}
