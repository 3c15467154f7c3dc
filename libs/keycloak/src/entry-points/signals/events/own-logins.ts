import { unverifiedClaims, type Clock } from '../../ports/signals.js';
import type { EventLogClient } from './event-log-client.js';
import type { EventRepresentation } from './user-event-signals.js';

export const CLIENT_LOGIN = 'CLIENT_LOGIN';

/** The maximum age of a login to look for, because the event log may have dropped an older login. */
const LOOKED_FOR_MS = 600_000;

export interface SeenLogin {
  readonly tokenId: unknown;
  /** The time of the login, by the server's clock. */
  readonly time: number;
  /** The start of the read that found the login, by the monotonic clock. */
  readonly atMs: number;
}

export interface LookedFor {
  readonly isSeen: boolean;
  /** False if the event log was cleared, the database changed, or no login was found for ten minutes. */
  readonly isSameLog: boolean;
}

export class OwnLogins {
  #last: SeenLogin | undefined;
  #isMissing = false;

  constructor(
    private readonly log: EventLogClient,
    private readonly clientId: string,
    private readonly clock: Pick<Clock, 'monotonicMs'>,
  ) {}

  lastSeen(nowMs: number): SeenLogin | undefined {
    return this.#last !== undefined && nowMs - this.#last.atMs < LOOKED_FOR_MS ? this.#last : undefined;
  }

  /** `sinceMs` is a time by the server's clock. */
  async look(token: string, sinceMs: number): Promise<LookedFor> {
    const tokenId = unverifiedClaims(token)['jti'];
    const nowMs = this.clock.monotonicMs();
    const last = this.lastSeen(nowMs);
    const { events } = await this.log.since(token, 'events', Math.min(sinceMs, last?.time ?? sinceMs), [
      ['type', CLIENT_LOGIN],
      ['client', this.clientId],
    ]);
    const found = tokenId === undefined ? undefined : loginOf(events, tokenId);
    const isSameLog = last === undefined ? !this.#isMissing : loginOf(events, last.tokenId) !== undefined;
    if (!isSameLog) this.#last = undefined;
    const time = found?.['time'];
    if (typeof time === 'number') this.#last = { tokenId, time, atMs: nowMs };
    this.#isMissing = found === undefined && this.#last !== undefined;
    return { isSeen: found !== undefined, isSameLog };
  }
}

const loginOf = (events: readonly EventRepresentation[], tokenId: unknown): EventRepresentation | undefined =>
  events.find(({ details }) => Object(details)['token_id'] === tokenId);
