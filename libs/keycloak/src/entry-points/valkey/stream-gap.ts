import type { StreamPage, StreamPlace } from './revocation-stream.js';

export interface Place extends StreamPlace {
  /** The id of the last read entry, or undefined if any entry may come first. */
  readonly tip: string | undefined;
}

/** `epoch` is set if a new epoch must begin for all replicas. */
export class Gap extends Error {
  constructor(
    reason: string,
    readonly epoch?: string,
  ) {
    super(reason);
  }
}

export function checkSame({ epoch, position, tip }: Place, page: StreamPage): void {
  if (page.epoch !== epoch) throw new Gap('another_epoch');
  if (page.last < position) throw new Gap('rolled_back');
  if (page.first > position + 1) throw new Gap('dropped_unread');
  if (page.last === position && tip !== undefined && page.tip !== tip) throw new Gap('another_past');
}
