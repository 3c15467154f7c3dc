import type { Clock } from '../caching/clock.js';
import { CONNECTION_FAILURES } from '../protocol/connection-failures.js';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import type { ComponentLog } from '../resilience/component-log.js';

/** The pause between two calls that try whether the server answers again. */
export const TRY_EVERY_MS = 1000;

/** If the server fails now and then, the beginning and the end of an outage are logged at most once in this time. */
const LOG_EVERY_MS = 10_000;

const NO_ANSWER: ReadonlySet<string> = new Set(['timeout', 'answer_broken_off', ...CONNECTION_FAILURES]);

/** A 5xx says nothing about the token, so it counts. A refusal or a nonsensical answer shows that the server works. */
const isOutage = (reason: string): boolean => NO_ANSWER.has(reason) || /^answered_5\d\d_/.test(reason);

/** This service made no call, so the failure says nothing about the server. */
const NO_CALL: ReadonlySet<string> = new Set(['queue_full', 'circuit_open']);

/** The call is repeated after a pause. If the repetition is not sent, this answer is older than the end of the call. */
const IS_REPEATED = /^answered_(408|429)_/;

export interface StaleAnswersStatus {
  /** The option `introspectionStaleIfErrorSeconds`; 0 means that no expired result is used. */
  readonly maxSeconds: number;
  /** The time since the first use of an expired result in this outage; absent while no expired result is used. */
  readonly inUseSeconds?: number;
}

export interface StaleAnswersOptions {
  readonly introspectionStaleIfErrorSeconds: number;
  readonly timeoutMs: number;
}

/**
 * Permits expired introspection results during an outage of the authorization server, and logs when their use begins
 * and ends.
 *
 * While an outage is known, a request does not wait for the server, and one call a second tries whether the server
 * answers. Any answer but a 5xx ends the outage, even a refusal. An outage whose last failure is too old is unknown
 * again, because nobody has asked the server since.
 */
export class StaleAnswers {
  readonly maxMs: number;
  readonly #knownForMs: number;
  #failedMs = -Infinity;
  #answeredMs = -Infinity;
  #unansweredMs = -Infinity;
  /** Unusable answers also open the circuit, so an open circuit is an outage only if the last call had no answer. */
  #isLastUnanswered = false;
  #inUseSinceMs: number | undefined;
  #usedMs = -Infinity;
  #nextTryMs = -Infinity;
  #loggedMs = -Infinity;
  #isLogged = false;

  constructor(
    options: StaleAnswersOptions,
    private readonly clock: Clock,
    private readonly log: Pick<ComponentLog, 'warn' | 'log'>,
  ) {
    this.maxMs = options.introspectionStaleIfErrorSeconds * 1000;
    this.#knownForMs = options.timeoutMs + 2 * TRY_EVERY_MS;
  }

  get status(): StaleAnswersStatus {
    const maxSeconds = this.maxMs / 1000;
    const nowMs = this.clock.monotonicMs();
    if (this.#inUseSinceMs === undefined || nowMs - this.#usedMs >= this.#knownForMs) return { maxSeconds };
    return { maxSeconds, inUseSeconds: (nowMs - this.#inUseSinceMs) / 1000 };
  }

  isKnownOutage(nowMs: number): boolean {
    return nowMs - this.#failedMs < this.#knownForMs;
  }

  /** Returns whether the caller should send a call now, to learn whether the server answers again. */
  shouldTry(nowMs: number): boolean {
    if (nowMs < this.#nextTryMs) return false;
    this.#nextTryMs = nowMs + TRY_EVERY_MS;
    return true;
  }

  /** Learns from a failed introspection that began at `startedMs`. */
  failed(error: unknown, startedMs: number): void {
    if (!(error instanceof AuthorizationServerError)) return;
    const { reason } = error;
    if (NO_CALL.has(reason)) {
      // While the circuit is open, only a trial call reaches the server.
      if (reason === 'circuit_open' && this.#isLastUnanswered) this.#failedMs = this.clock.monotonicMs();
    } else if (isOutage(reason)) {
      this.#isLastUnanswered = true;
      this.#unansweredMs = this.clock.monotonicMs();
      // An earlier call may time out after a later call was answered.
      if (startedMs >= this.#answeredMs) this.#failedMs = this.#unansweredMs;
    } else if (reason === 'client_credential_unreadable') {
      // The fault is in this service, so nobody knows whether the server answers.
      this.#failedMs = -Infinity;
      this.#isLastUnanswered = false;
    } else if (startedMs >= this.#unansweredMs || !IS_REPEATED.test(reason)) {
      this.end();
    }
  }

  /** Returns whether an expired result may replace the answer. The failure must already be known by `failed()`. */
  permitsAfter(error: unknown): boolean {
    if (!(error instanceof AuthorizationServerError)) return false;
    return isOutage(error.reason) || (NO_CALL.has(error.reason) && this.isKnownOutage(this.clock.monotonicMs()));
  }

  /** Call this method at each use of an expired result. */
  used(nowMs: number): void {
    // After a longer pause, this is another outage, although nobody noticed the end of the first.
    if (nowMs - this.#usedMs > this.maxMs) [this.#inUseSinceMs, this.#isLogged] = [undefined, false];
    this.#inUseSinceMs ??= nowMs;
    this.#usedMs = nowMs;
    if (this.#isLogged || nowMs - this.#loggedMs < LOG_EVERY_MS) return;
    this.#isLogged = true;
    this.#loggedMs = nowMs;
    this.log.warn(
      'Keycloak does not answer: expired introspection results are used. A token that is revoked meanwhile stays accepted until its result ends',
      { maxSeconds: this.maxMs / 1000 },
    );
  }

  /** The server has answered. */
  end(): void {
    this.#answeredMs = this.clock.monotonicMs();
    this.#failedMs = -Infinity;
    this.#isLastUnanswered = false;
    if (this.#inUseSinceMs === undefined) return;
    const seconds = Math.round((this.#usedMs - this.#inUseSinceMs) / 1000);
    this.#inUseSinceMs = undefined;
    if (!this.#isLogged) return;
    this.#isLogged = false;
    this.log.log('Keycloak answers again: expired introspection results are no longer used', { seconds });
  }
}
