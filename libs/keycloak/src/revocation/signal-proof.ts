/** Signal proof: until when it is known that whatever ended at the authorization server has been heard of here. */

/** Nothing was missed from one time to the other; monotonic, in milliseconds. */
interface Stretch {
  readonly coveredSinceMs: number;
  readonly provenUntilMs: number;
}

const NONE: Stretch = { coveredSinceMs: Infinity, provenUntilMs: -Infinity };

/**
 * Whoever hears of revocations says here until when it has heard of all. It opens nothing: it lets answers that were given serve longer, and once it is silent they serve as long as
 * without it.
 */
export class SignalProof {
  #current = NONE;
  /** Before the last gap: its answers serve until its own proof is too old, so that not all of them are asked for at once. */
  #earlier = NONE;
  #isFollowed = false;
  readonly #onGap: (() => void)[] = [];

  constructor(
    /** Whether what other replicas say arrives, too: they may deny what the server knows nothing of. */
    private readonly hearsOthers: () => boolean = () => true,
  ) {}

  /** Until when it is proven of an answer that was asked for at `askedAtMs`; `-Infinity` where it is not. */
  provenUntilMs(askedAtMs: number): number {
    if (askedAtMs >= this.#current.coveredSinceMs) return this.#current.provenUntilMs;
    return askedAtMs >= this.#earlier.coveredSinceMs ? this.#earlier.provenUntilMs : -Infinity;
  }

  /** Somebody listens, and will prove it. */
  follow(): void {
    this.#isFollowed = true;
  }

  get isFollowed(): boolean {
    return this.#isFollowed;
  }

  /** When it was proven last. */
  get latestMs(): number {
    return Math.max(this.#current.provenUntilMs, this.#earlier.provenUntilMs);
  }

  /** Everything that the server had to tell at `atMs` has been denied or is rechecked, and nothing was missed since the last time. */
  prove(atMs: number): void {
    if (!this.hearsOthers()) return;
    const { coveredSinceMs, provenUntilMs } = this.#current;
    this.#current = {
      coveredSinceMs: Math.min(coveredSinceMs, atMs),
      provenUntilMs: Math.max(provenUntilMs, atMs),
    };
  }

  /** Something may have been missed: answers of before are asked for anew, and it begins anew with the next proof. */
  interrupt(): void {
    if (this.#current !== NONE) this.#earlier = this.#current;
    this.#current = NONE;
    for (const listener of this.#onGap) listener();
  }

  /** Calls `listener` whenever something may have been missed. */
  onGap(listener: () => void): void {
    this.#onGap.push(listener);
  }
}
