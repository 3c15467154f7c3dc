/** Shared rechecks: those of this replica on their way to all others, and theirs on their way here, each once. */
import { createHash, randomUUID } from 'node:crypto';
import type { Clock } from '../caching/clock.js';
import { DeadlineCache } from '../caching/deadline-cache.js';
import type { SharedRevocation } from './revocation-channel.js';
import { isIssuerRecheck, type IssuerRecheck, type Rechecks } from './rechecks.js';

export type SharedRecheck = SharedRevocation & { readonly kind: 'recheck' };

/** More, on their way or taken, are one of everything. */
const MAX_HELD = 1000;
/** Of those that come again. */
const MAX_KNOWN = 10_000;

/** How far a recheck was carried out here. */
interface Effect {
  /** Tokens issued until then are introspected; seconds since the epoch. */
  readonly madeAt: number;
  readonly reachedAnswers: boolean;
}

export class SharedRechecks {
  #toAppend: readonly SharedRecheck[] = [];
  /** The channel may lose them before everybody has read them. */
  #taken: readonly SharedRecheck[] = [];
  /** Of those that it took, the ones that have not been read from it. */
  #unread: readonly SharedRecheck[] = [];
  /** By `contentOf`: a service can write another recheck with the same id, or the same one with an earlier time. */
  readonly #known: DeadlineCache<Effect>;
  /** One that came by the channel is not sent back to it. */
  #isReceiving = false;

  constructor(
    private readonly rechecks: Rechecks,
    /** How long one is of use to others, and to the answers that they keep. */
    private readonly useful: { readonly seconds: number; readonly toAnswersSeconds: number },
    private readonly clock: Clock,
    /** Called when there is another one to be appended. */
    onAdded: () => void,
  ) {
    this.#known = new DeadlineCache(MAX_KNOWN, clock);
    rechecks.onRequired((recheck, at) => {
      if (this.#isReceiving) return;
      this.#add(recheck, at);
      onAdded();
    });
  }

  /** Those that are of use, the oldest first. */
  toAppend(): readonly SharedRecheck[] {
    return this.#useful(this.#toAppend);
  }

  /** The channel has taken them. Those that were read from it before it said so are no more to be waited for. */
  markTaken(rechecks: readonly SharedRecheck[]): void {
    const taken = rechecks.filter((one) => this.#toAppend.includes(one));
    this.#unread = this.#useful([...this.#unread, ...taken]);
    this.#moveToTaken(taken);
  }

  /** Whether the channel has all of them, and all have been read from it. */
  get areAllRead(): boolean {
    return this.toAppend().length === 0 && this.#useful(this.#unread).length === 0;
  }

  /** What the channel took and was not read from it is to be appended once more. */
  markUnreadFresh(): void {
    this.#toAppend = this.#bounded([...this.#unread, ...this.#toAppend]);
    this.#unread = [];
  }

  /** The channel may have lost what it took. */
  markAllToRepeat(): void {
    this.#toAppend = this.#bounded([...this.#taken, ...this.#toAppend]);
    [this.#taken, this.#unread] = [[], []];
  }

  /**
   * Rechecks that were made here come, too. `madeAt`: in seconds since the epoch, at the latest. One that was carried out
   * before changes nothing, unless this copy reaches further.
   */
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
      // A later version may say what a recheck is about in a way that this one can't read. Then everything is introspected again,
      // including what the recheck is about.
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

/** A digest of everything that a recheck says: its length is bounded, and no two rechecks share it. */
const contentOf = ({ id, recheck, at }: SharedRecheck): string =>
  createHash('sha256')
    .update(JSON.stringify([id, recheck, at]))
    .digest('base64');
