import type { Clock } from '../caching/clock.js';
import type { IntrospectionAnswer } from '../protocol/claims.js';
import { TRY_EVERY_MS, type StaleAnswers } from './stale-answers.js';

/** A cached result, and what its use in an outage needs. */
export interface LookedAt {
  readonly answer: IntrospectionAnswer;
  /** The time of the next look at the results of other replicas. */
  lookAtMs: number;
  /** Present while uses of the expired result wait for the results of other replicas. */
  looking?: Promise<void> | undefined;
}

/** One use of a token. */
export interface TokenUse {
  readonly token: string;
  readonly hash: string;
  readonly stalenessMs: number;
  readonly onOutcome?: ((outcome: 'asked' | 'shared' | 'stale') => void) | undefined;
}

/** The cache, as `IntrospectionInOutage` uses it. */
export interface CacheInOutage {
  /** A result that is not expired. */
  fresh(use: TokenUse, nowMs: number): IntrospectionAnswer | undefined;
  /** A result that may be used in an outage, even if it is expired. */
  lasting(hash: string, nowMs: number): LookedAt | undefined;
  ask(use: TokenUse, nowMs: number): Promise<IntrospectionAnswer>;
  /** Asks the server, and never another replica. */
  askServer(use: TokenUse, nowMs: number): Promise<void>;
  /** Keeps what another replica has found. Without other replicas, returns undefined. */
  lookAtOthers(hash: string): Promise<void> | undefined;
}

/** Answers with expired results while the authorization server does not answer. `StaleAnswers` knows the outage. */
export class IntrospectionInOutage {
  constructor(
    private readonly cache: CacheInOutage,
    private readonly stale: StaleAnswers,
    private readonly clock: Clock,
  ) {}

  /** Does not wait for the server in a known outage, because each call could take `timeoutMs`. */
  introspect(use: TokenUse, nowMs: number): IntrospectionAnswer | Promise<IntrospectionAnswer> {
    const { cache, stale } = this;
    const known = stale.isKnownOutage(nowMs) ? cache.lasting(use.hash, nowMs) : undefined;
    if (known === undefined) return this.#askOrUse(use, nowMs);
    if (stale.shouldTry(nowMs)) cache.askServer(use, nowMs).catch(() => undefined);
    const looking = this.#lookAgain(use.hash, known, nowMs);
    return looking === undefined ? this.#answer(use, known, nowMs) : looking.then(() => this.#afterLook(use));
  }

  async #askOrUse(use: TokenUse, nowMs: number): Promise<IntrospectionAnswer> {
    try {
      return await this.cache.ask(use, nowMs);
    } catch (error) {
      const failedMs = this.clock.monotonicMs();
      const known = this.stale.permitsAfter(error) ? this.cache.lasting(use.hash, failedMs) : undefined;
      if (known === undefined) throw error;
      await this.#lookAgain(use.hash, known, failedMs);
      const lookedMs = this.clock.monotonicMs();
      const lasting = this.cache.lasting(use.hash, lookedMs);
      if (lasting === undefined) throw error;
      return this.#answer(use, lasting, lookedMs);
    }
  }

  #afterLook(use: TokenUse): IntrospectionAnswer | Promise<IntrospectionAnswer> {
    const nowMs = this.clock.monotonicMs();
    const fresh = this.cache.fresh(use, nowMs);
    if (fresh !== undefined) {
      use.onOutcome?.('shared');
      return fresh;
    }
    const lasting = this.cache.lasting(use.hash, nowMs);
    return lasting === undefined ? this.cache.ask(use, nowMs) : this.#answer(use, lasting, nowMs);
  }

  #answer({ onOutcome }: TokenUse, { answer }: LookedAt, nowMs: number): IntrospectionAnswer {
    this.stale.used(nowMs);
    onOutcome?.('stale');
    return answer;
  }

  /**
   * Another replica may reach the server, or may have found the token inactive before the outage. The first use of an
   * expired result, and a use after a pause, wait for this look. Other uses look without a wait.
   */
  #lookAgain(hash: string, entry: LookedAt, nowMs: number): Promise<void> | undefined {
    if (nowMs < entry.lookAtMs) return entry.looking;
    const looking = this.cache.lookAtOthers(hash)?.finally(() => (entry.looking = undefined));
    if (looking === undefined) return undefined;
    const mustWait = nowMs - entry.lookAtMs >= TRY_EVERY_MS;
    entry.lookAtMs = nowMs + TRY_EVERY_MS;
    if (mustWait) entry.looking = looking;
    else looking.catch(() => undefined);
    return entry.looking;
  }
}
