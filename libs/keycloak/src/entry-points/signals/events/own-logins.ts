/** Own logins: whether the event log has the login that was just made, and still has the one that it had before. */
import { unverifiedClaims, type Clock } from '../../ports/signals.js';
import type { EventLogClient } from './event-log-client.js';
import type { EventRepresentation } from './user-event-signals.js';

export const CLIENT_LOGIN = 'CLIENT_LOGIN';

/** An older one may have expired. */
const LOOKED_FOR_MS = 600_000;

/** A login that was in the log. */
export interface SeenLogin {
  readonly tokenId: unknown;
  /** As the log has it: by the clock of the server, and of the events. */
  readonly time: number;
  /** When it was seen, and no sooner than it was made; monotonic. */
  readonly atMs: number;
}

export interface LookedFor {
  /** Whether the log has the login by which this token was issued. */
  readonly isSeen: boolean;
  /**
   * False where the log has lost the login that it had before: it was cleared, or is that of another database. What else it has lost nobody knows. And where none was seen for so long that what it has told since the last one
   * is not read any more.
   */
  readonly isSameLog: boolean;
}

export class OwnLogins {
  #last: SeenLogin | undefined;
  /** Whether one was looked for since then, and not seen. */
  #isMissing = false;

  constructor(
    private readonly log: EventLogClient,
    private readonly clientId: string,
    private readonly clock: Pick<Clock, 'monotonicMs'>,
  ) {}

  /** The last one that was seen, unless that is too long ago for the log to be read again since then. */
  lastSeen(nowMs: number): SeenLogin | undefined {
    return this.#last !== undefined && nowMs - this.#last.atMs < LOOKED_FOR_MS ? this.#last : undefined;
  }

  /** `sinceMs`: by the server's time. Rejects as the log does. */
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
