import type { Clock } from '../caching/clock.js';
import type { ReadDenial } from '../protocol/denial.js';

export interface HeldDenial extends ReadDenial {
  /** The time of the denial, in seconds since the epoch. */
  readonly deniedAt: number;
  readonly endsAtMs: number;
}

export class UnsharedDenials {
  readonly #fresh = new Set<HeldDenial>();
  readonly #toRepeat = new Set<HeldDenial>();
  /** The channel has accepted these denials, but may still lose them. */
  readonly #unread = new Set<HeldDenial>();
  #floor: 'done' | 'unread' | 'fresh' | 'repeat' = 'done';

  constructor(private readonly clock: Clock) {}

  get size(): number {
    return this.toAppendSize + this.#unread.size;
  }

  get toAppendSize(): number {
    return this.#fresh.size + this.#toRepeat.size;
  }

  add(held: HeldDenial): void {
    this.#fresh.add(held);
  }

  delete(held: HeldDenial): void {
    this.#fresh.delete(held);
    this.#toRepeat.delete(held);
    this.#unread.delete(held);
  }

  fresh(count: number): HeldDenial[] {
    return this.#inForce(this.#fresh, count);
  }

  toRepeat(count: number): HeldDenial[] {
    return this.#inForce(this.#toRepeat, count);
  }

  /** Returns true if no floor exists, or if this replica has read its floor back from the channel. */
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

  markTaken(denials: readonly HeldDenial[], withFloor: boolean): void {
    for (const held of denials) {
      if (!this.#fresh.delete(held) && !this.#toRepeat.delete(held)) continue;
      this.#unread.add(held);
    }
    if (withFloor && this.#floor !== 'done') this.#floor = 'unread';
  }

  markUnreadFresh(): void {
    for (const held of this.#unread) this.#fresh.add(held);
    this.#unread.clear();
    if (this.#floor === 'unread') this.#floor = 'fresh';
  }

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
