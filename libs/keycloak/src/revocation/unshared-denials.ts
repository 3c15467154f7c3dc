/** Unshared denials: those of the held ones, and the floor, that other replicas are still to be told. */
import type { Clock } from '../caching/clock.js';
import type { ReadDenial } from '../protocol/denial.js';

/** What is held, and since when. */
export interface HeldDenial extends ReadDenial {
  /** Seconds since the epoch. */
  readonly deniedAt: number;
  readonly endsAtMs: number;
}

export class UnsharedDenials {
  /** Made here: other replicas do not know of them yet. */
  readonly #fresh = new Set<HeldDenial>();
  /** Of those that were shared, the ones of which the channel may have nothing any more. */
  readonly #toRepeat = new Set<HeldDenial>();
  /** The channel took them, and they have not been read from it: it may still lose them. */
  readonly #unread = new Set<HeldDenial>();
  #floor: 'done' | 'unread' | 'fresh' | 'repeat' = 'done';

  constructor(private readonly clock: Clock) {}

  /** How many other replicas do not know of yet, or may have lost. */
  get size(): number {
    return this.toAppendSize + this.#unread.size;
  }

  /** How many of them the channel has not taken. */
  get toAppendSize(): number {
    return this.#fresh.size + this.#toRepeat.size;
  }

  /** It was made here. */
  add(held: HeldDenial): void {
    this.#fresh.add(held);
  }

  /** It was read from the channel, or is held no more. */
  delete(held: HeldDenial): void {
    this.#fresh.delete(held);
    this.#toRepeat.delete(held);
    this.#unread.delete(held);
  }

  /** At most `count` of those that were made here and are known to no other replica. */
  fresh(count: number): HeldDenial[] {
    return this.#inForce(this.#fresh, count);
  }

  /** At most `count` of those that the channel may have lost. */
  toRepeat(count: number): HeldDenial[] {
    return this.#inForce(this.#toRepeat, count);
  }

  /** Whether the floor has been read from the channel, or there is none. */
  get isFloorRead(): boolean {
    return this.#floor === 'done';
  }

  isFloor(sharing: 'fresh' | 'repeat'): boolean {
    return this.#floor === sharing;
  }

  addFloor(): void {
    this.#floor = 'fresh';
  }

  deleteFloor(): void {
    this.#floor = 'done';
  }

  /** The channel took them, and the floor that stands now. */
  markTaken(denials: readonly HeldDenial[], withFloor: boolean): void {
    for (const held of denials) {
      if (!this.#fresh.delete(held) && !this.#toRepeat.delete(held)) continue;
      this.#unread.add(held);
    }
    if (withFloor && this.#floor !== 'done') this.#floor = 'unread';
  }

  /** What the channel took and was not read from it is to be appended once more. */
  markUnreadFresh(): void {
    for (const held of this.#unread) this.#fresh.add(held);
    this.#unread.clear();
    if (this.#floor === 'unread') this.#floor = 'fresh';
  }

  /** The channel may have lost all of `denials`, and the floor. */
  markToRepeat(denials: Iterable<HeldDenial>): void {
    this.#unread.clear();
    for (const held of denials) if (!this.#fresh.has(held)) this.#toRepeat.add(held);
    if (this.#floor !== 'fresh') this.#floor = 'repeat';
  }

  #inForce(denials: Set<HeldDenial>, count: number): HeldDenial[] {
    const nowMs = this.clock.monotonicMs();
    const found: HeldDenial[] = [];
    for (const held of denials) {
      if (nowMs >= held.endsAtMs) denials.delete(held);
      else if (found.push(held) === count) break;
    }
    return found;
  }
}
