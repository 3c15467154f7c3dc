import { createHash, randomUUID } from 'node:crypto';
import type { Clock } from '../caching/clock.js';
import { DeadlineCache } from '../caching/deadline-cache.js';
import type { SharedRevocation } from './revocation-channel.js';
import { isIssuerRecheck, type IssuerRecheck, type Rechecks } from './rechecks.js';

export type SharedRecheck = SharedRevocation & { readonly kind: 'recheck' };

const MAX_HELD = 1000;
const MAX_KNOWN = 10_000;

interface Effect {
  /** Tokens issued before this time (seconds since the epoch) are introspected. */
  readonly madeAt: number;
  readonly reachedAnswers: boolean;
}

export class SharedRechecks {
  #toAppend: readonly SharedRecheck[] = [];
  #taken: readonly SharedRecheck[] = [];
  #unread: readonly SharedRecheck[] = [];
  /** The key contains id, time and content, because another service may reuse an id or a time. */
  readonly #known: DeadlineCache<Effect>;
  #isReceiving = false;

  constructor(
    private readonly rechecks: Rechecks,
    private readonly useful: { readonly seconds: number; readonly toAnswersSeconds: number },
    private readonly clock: Clock,
    onAdded: () => void,
  ) {
    this.#known = new DeadlineCache(MAX_KNOWN, clock);
    rechecks.onRequired((recheck, at) => {
      if (this.#isReceiving) return;
      this.#add(recheck, at);
      onAdded();
    });
  }

  toAppend(): readonly SharedRecheck[] {
    return this.#useful(this.#toAppend);
  }

  markTaken(rechecks: readonly SharedRecheck[]): void {
    const taken = rechecks.filter((one) => this.#toAppend.includes(one));
    this.#unread = this.#useful([...this.#unread, ...taken]);
    this.#moveToTaken(taken);
  }

  get areAllRead(): boolean {
    return this.toAppend().length === 0 && this.#useful(this.#unread).length === 0;
  }

  markUnreadFresh(): void {
    this.#toAppend = this.#bounded([...this.#unread, ...this.#toAppend]);
    this.#unread = [];
  }

  markAllToRepeat(): void {
    this.#toAppend = this.#bounded([...this.#taken, ...this.#toAppend]);
    [this.#taken, this.#unread] = [[], []];
  }

  /** `madeAt` is the latest possible time of the recheck, in seconds since the epoch. */
  receive(shared: SharedRecheck, ageSeconds: number, madeAt: number): void {
    if (ageSeconds >= this.useful.seconds) return;
    const content = contentOf(shared);
    const isSame = (one: SharedRecheck): boolean => one.id === shared.id && contentOf(one) === content;
    this.#unread = this.#unread.filter((one) => !isSame(one));
    this.#moveToTaken(this.#toAppend.filter(isSame));
    const earlier = this.#known.get(content) ?? { madeAt: -Infinity, reachedAnswers: false };
    const reachesAnswers = ageSeconds < this.useful.toAnswersSeconds && !earlier.reachedAnswers;
    if (madeAt <= earlier.madeAt && !reachesAnswers) return;
    this.#know(content, {
      madeAt: Math.max(madeAt, earlier.madeAt),
      reachedAnswers: earlier.reachedAnswers || reachesAnswers,
    });
    this.#isReceiving = true;
    try {
      // A newer version of this library may send a recheck that this version can't read; all tokens are then rechecked.
      const known = isIssuerRecheck(shared.recheck) ? shared.recheck : 'everything';
      this.rechecks.require(known, madeAt, reachesAnswers);
    } finally {
      this.#isReceiving = false;
    }
  }

  #moveToTaken(taken: readonly SharedRecheck[]): void {
    if (taken.length === 0) return;
    this.#toAppend = this.#toAppend.filter((one) => !taken.includes(one));
    this.#taken = this.#bounded([...this.#taken, ...taken]);
  }

  #add(recheck: IssuerRecheck, at: number): void {
    this.#toAppend = this.#bounded([...this.#toAppend, this.#new(recheck, at)]);
  }

  #bounded(all: readonly SharedRecheck[]): readonly SharedRecheck[] {
    const useful = this.#useful(all);
    const latest = useful.reduce((at, one) => Math.max(at, one.at), this.clock.epochSeconds());
    return useful.length > MAX_HELD ? [this.#new('everything', latest)] : useful;
  }

  #useful(all: readonly SharedRecheck[]): readonly SharedRecheck[] {
    const since = this.clock.epochSeconds() - this.useful.seconds;
    return all.filter(({ at }) => at > since);
  }

  #new(recheck: IssuerRecheck, at: number): SharedRecheck {
    const made: SharedRecheck = { kind: 'recheck', recheck, at, id: randomUUID() };
    this.#know(contentOf(made), { madeAt: Infinity, reachedAnswers: true });
    return made;
  }

  #know(content: string, effect: Effect): void {
    this.#known.set(content, effect, this.useful.seconds * 1000);
  }
}

/** Returns a digest, which bounds the length and distinguishes different rechecks. */
const contentOf = ({ id, recheck, at }: SharedRecheck): string =>
  createHash('sha256')
    .update(JSON.stringify([id, recheck, at]))
    .digest('base64');
