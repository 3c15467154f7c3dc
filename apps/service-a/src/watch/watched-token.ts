import { setTimeout as sleep } from 'node:timers/promises';
import { isAccepted, isRefused, presentSurely, type KnownToken, type Presented } from 'demo';

/** `unknown`: no answer has decided yet. `expired`: refused after its own lifetime. */
export type TokenState = 'unknown' | 'accepted' | 'refused' | 'expired';

export interface WatchOptions {
  readonly everyMs: number;
  /** Gets another token for the same service, if a token lives shorter than it is watched. */
  readonly renew?: () => Promise<KnownToken>;
}

/** So close to the expiry, the reason of a refusal is unknown: clocks differ, and count whole seconds. */
const END_MARGIN_MS = 2000;

/** How long before the expiry another token is requested, and how often that is tried again. */
const RENEW_BEFORE_MS = 20_000;
const RENEW_AGAIN_MS = 5000;

export class WatchedToken {
  readonly service: string;
  #token: KnownToken;
  #state: TokenState = 'unknown';
  #refusedAtMs: number | undefined;
  #renewAgainAtMs = -Infinity;

  constructor(
    token: KnownToken,
    private readonly options: WatchOptions,
  ) {
    this.#token = token;
    this.service = token.service;
  }

  get state(): TokenState {
    return this.#state;
  }

  /** Milliseconds since the epoch; undefined unless it is refused. */
  get refusedAtMs(): number | undefined {
    return this.#refusedAtMs;
  }

  /** Does not reject. */
  async run(signal: AbortSignal, onChange: () => void): Promise<void> {
    while (!signal.aborted) {
      await this.#renewInTime();
      // A service that does not answer has decided nothing.
      const presented = await presentSurely(() => this.#token.present()).catch(() => undefined);
      if (presented !== undefined && !signal.aborted && this.#judge(presented)) onChange();
      if (this.#state === 'refused' || this.#state === 'expired') return;
      await sleep(this.options.everyMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  #judge({ answer, atMs }: Presented): boolean {
    const before = this.#state;
    if (isAccepted(answer)) {
      this.#state = 'accepted';
    } else if (isRefused(answer)) {
      const isOver = atMs >= this.#token.expiresAt * 1000 - END_MARGIN_MS;
      this.#state = isOver ? 'expired' : 'refused';
      if (!isOver) this.#refusedAtMs = atMs;
    }
    return this.#state !== before;
  }

  /** The new token replaces the old one when its service has accepted it. */
  async #renewInTime(): Promise<void> {
    const { renew } = this.options;
    const nowMs = Date.now();
    const { expiresAt } = this.#token;
    if (renew === undefined || nowMs < expiresAt * 1000 - RENEW_BEFORE_MS || nowMs < this.#renewAgainAtMs) return;
    this.#renewAgainAtMs = nowMs + RENEW_AGAIN_MS;
    try {
      const next = await renew();
      if (next.expiresAt > expiresAt && isAccepted(await next.present())) this.#token = next;
    } catch {
      // The current token is used until it expires.
    }
  }
}
