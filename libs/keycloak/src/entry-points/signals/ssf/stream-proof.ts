/** StreamProof: until when it is certain that a stream has told all, by verification events that were asked for (SSF 1.0 §8.1.4). */
import { randomUUID } from 'node:crypto';
import { KeycloakException } from '../../ports/signals.js';
import { SignalSourceError } from '../signal-source.js';
import type { EventStream } from './event-stream.js';
import { unexpected } from './transmitter-answers.js';
import type { TransmitterClient } from './transmitter-client.js';

/** An older verification says nothing of now. */
const MAX_AGE_MS = 15_000;

/** By how much the server's time may differ from what is known of it: that is measured in whole seconds. */
const UNCERTAINTY_MS = 2000;

/** For how long a verification may be under way. */
const PATIENCE_MS = 5000;

/** Until it is asked for again: where somebody else was faster, that one's verification is on its way. */
const SOON_MS = 1000;

const MAX_ASKED = 16;

/** When a poll began, by both clocks. */
export interface PollBegin {
  /** Monotonic. */
  readonly beganMs: number;
  /** By the server's clock, in seconds since the epoch. */
  readonly serverSeconds: number;
}

/**
 * A transmitter appends to one queue what it tells: where a verification has come that was asked for at a time, all has come that was told before that time. Its own verifications are known by their `state`, and vouch for the
 * beginning of the poll that asked. Those that other replicas asked for vouch for when they were issued.
 */
export class StreamProof {
  /** By state: when the poll began that asked. */
  readonly #asked = new Map<string, number>();
  #askAtMs = -Infinity;
  #vouchedMs = -Infinity;
  #claimedMs = -Infinity;
  /** Since when one is waited for. */
  #waitingSinceMs: number | undefined;

  constructor(
    private readonly client: TransmitterClient,
    private readonly everyMs: number,
  ) {}

  /** Asks where it is time, and nobody else's has come. Rejects with `AuthorizationServerError` or `SignalSourceError`. */
  async ask(beganMs: number, url: string, { id, minVerificationMs }: EventStream): Promise<void> {
    if (beganMs < this.#askAtMs) return;
    this.#waitingSinceMs ??= beganMs;
    // Where there is no answer, too.
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
      throw unexpected(`It answers ${answer.status} where the stream is to be verified.`);
    }
  }

  /** One that came, and was verified. `issuedAt`: in seconds, by the server's clock. */
  heard(state: string | undefined, issuedAt: number, { beganMs, serverSeconds }: PollBegin): void {
    const askedMs = state === undefined ? undefined : this.#asked.get(state);
    if (state !== undefined) this.#asked.delete(state);
    const issuedMs = beganMs - (serverSeconds - issuedAt) * 1000 - UNCERTAINTY_MS;
    const vouchedMs = Math.min(beganMs, askedMs ?? issuedMs);
    if (vouchedMs < beganMs - MAX_AGE_MS) return;
    this.#vouchedMs = Math.max(this.#vouchedMs, vouchedMs);
    this.#waitingSinceMs = undefined;
    // Whoever asked asks again: one does it for all.
    const laterMs = beganMs + this.everyMs + Math.min(SOON_MS, this.everyMs / 2);
    if (askedMs === undefined) this.#askAtMs = Math.max(this.#askAtMs, laterMs);
  }

  /** Until when all was told, if a poll that has read all may claim more than those before it. */
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
      "The transmitter was asked to verify the stream, and no verification comes: see that nobody else reads the stream of this client, that it may be verified every five seconds (with Keycloak by ssf.minVerificationInterval of this client), and that this machine's clock agrees with the transmitter's.",
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
