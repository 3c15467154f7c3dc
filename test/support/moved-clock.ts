import { systemClock, type Clock } from '../../libs/keycloak/src/caching/clock.js';

export class MovedClock implements Clock {
  #aheadSeconds = 0;

  readonly epochSeconds = (): number => systemClock.epochSeconds() + this.#aheadSeconds;
  readonly monotonicMs = (): number => systemClock.monotonicMs() + this.#aheadSeconds * 1000;

  advance(seconds: number): void {
    this.#aheadSeconds += seconds;
  }
}
