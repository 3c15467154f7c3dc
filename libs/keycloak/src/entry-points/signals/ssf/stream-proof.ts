import { randomUUID } from 'node:crypto';
import { KeycloakException } from '../../ports/signals.js';
import { SignalSourceError } from '../signal-source.js';
import type { EventStream } from './event-stream.js';
import { unexpected } from './transmitter-answers.js';
import type { TransmitterClient } from './transmitter-client.js';

const MAX_AGE_MS = 15_000;

/** The uncertainty of the server's time, because the server sends whole seconds. */
const UNCERTAINTY_MS = 2000;

const PATIENCE_MS = 5000;

/** The service waits a second before the next request, because another replica's verification may arrive. */
const SOON_MS = 1000;

const MAX_ASKED = 16;

export interface PollBegin {
  /** The start of the poll, by the monotonic clock. */
  readonly beganMs: number;
  /** The start of the poll in seconds since the epoch, by the server's clock. */
  readonly serverSeconds: number;
}

/**
 * Verification events (SSF 1.0 §8.1.4) prove that all events up to a time arrived. A verification that this process
 * requested proves the events up to the start of the requesting poll. A verification that another replica requested
 * proves the events up to its `iat`.
 */
export class StreamProof {
  readonly #asked = new Map<string, number>();
  #askAtMs = -Infinity;
  #vouchedMs = -Infinity;
  #claimedMs = -Infinity;
  #waitingSinceMs: number | undefined;

  constructor(
    private readonly client: TransmitterClient,
    private readonly everyMs: number,
  ) {}

  async ask(beganMs: number, url: string, { id, minVerificationMs }: EventStream): Promise<void> {
    if (beganMs < this.#askAtMs) return;
    this.#waitingSinceMs ??= beganMs;
    this.#askAtMs = beganMs + (minVerificationMs > this.everyMs ? this.everyMs : SOON_MS);
    const state = randomUUID();
    this.#remember(state, beganMs);
    const answer = await this.client.post(url, { stream_id: id, state }).catch(tooOften);
    if (answer === 'too_often') {
      this.#asked.delete(state);
      return;
    }
    this.#askAtMs = beganMs + Math.max(this.everyMs, minVerificationMs);
    if (answer.status !== 204 && answer.status !== 200 && answer.status !== 202) {
      throw unexpected(`The transmitter answers ${answer.status} when asked to verify the stream.`);
    }
  }

  received(state: string | undefined, issuedAt: number, { beganMs, serverSeconds }: PollBegin): void {
    const askedMs = state === undefined ? undefined : this.#asked.get(state);
    if (state !== undefined) this.#asked.delete(state);
    const issuedMs = beganMs - (serverSeconds - issuedAt) * 1000 - UNCERTAINTY_MS;
    const vouchedMs = Math.min(beganMs, askedMs ?? issuedMs);
    if (vouchedMs < beganMs - MAX_AGE_MS) return;
    this.#vouchedMs = Math.max(this.#vouchedMs, vouchedMs);
    this.#waitingSinceMs = undefined;
    // Waits longer after another replica's verification, so that the other replica sends the next request.
    const laterMs = beganMs + this.everyMs + Math.min(SOON_MS, this.everyMs / 2);
    if (askedMs === undefined) this.#askAtMs = Math.max(this.#askAtMs, laterMs);
  }

  /**
   * Returns the time until which all events have arrived. Only a poll that has read all events may use the returned
   * time.
   */
  claimable(beganMs: number): number | undefined {
    const isNews = this.#vouchedMs > this.#claimedMs && this.#vouchedMs >= beganMs - MAX_AGE_MS;
    return isNews ? this.#vouchedMs : undefined;
  }

  claim(): void {
    this.#claimedMs = this.#vouchedMs;
  }

  fault(beganMs: number): SignalSourceError | undefined {
    if (this.#waitingSinceMs === undefined || beganMs < this.#waitingSinceMs + PATIENCE_MS) return undefined;
    return new SignalSourceError(
      'verification_not_seen',
      'The transmitter sends no verification event. Check that no other receiver reads the stream of this client, that it may be verified every five seconds (with Keycloak: ssf.minVerificationInterval of this client), and that the clocks of this machine and the transmitter agree.',
    );
  }

  #remember(state: string, beganMs: number): void {
    this.#asked.set(state, beganMs);
    const [oldest = state] = this.#asked.keys();
    if (this.#asked.size > MAX_ASKED) this.#asked.delete(oldest);
  }
}

function tooOften(error: unknown): 'too_often' {
  if (error instanceof KeycloakException && error.reason.startsWith('answered_429')) return 'too_often';
  throw error;
}
