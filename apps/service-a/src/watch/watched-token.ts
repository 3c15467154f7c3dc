import { setTimeout as sleep } from 'node:timers/promises';
import { isAccepted, isRefused, presentSurely, type KnownToken, type Presented } from 'demo';

/**
 * `unknown` means that the service has not yet accepted or refused the token. `expired` means that the service refused
 * the token after its expiry.
 */
export type TokenState = 'unknown' | 'accepted' | 'refused' | 'expired';

export interface WatchOptions {
  readonly everyMs: number;
  readonly renew?: () => Promise<KnownToken>;
}

/** Clocks differ, so a refusal may mean the expiry if the token expires within this time. */
const END_MARGIN_MS = 2000;

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

  get refusedAtMs(): number | undefined {
    return this.#refusedAtMs;
  }

  async run(signal: AbortSignal, onChange: () => void): Promise<void> {
    while (!signal.aborted) {
      await this.#renewInTime();
      const presented = await presentSurely(() => this.#token.present()).catch(() => undefined);
      if (presented !== undefined && !signal.aborted && this.#evaluate(presented)) onChange();
      if (this.#state === 'refused' || this.#state === 'expired') return;
      await sleep(this.options.everyMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  #evaluate({ answer, atMs }: Presented): boolean {
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
      // If no newer token is available, the watch sends the current token until this token expires.
    }
  }
}
