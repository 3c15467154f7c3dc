import { BearerError } from '../protocol/bearer-error.js';
import { KeycloakException } from '../protocol/keycloak-exception.js';
import { ObservedLog, type ObservationLog } from './observed-log.js';
import { ObservedRefusals, type ObservedRefusal } from './observed-refusals.js';
import { PendingAnswers } from './pending-answers.js';
import { ObservedFaults } from './start-checks.js';

const MAX_IN_FLIGHT = 500;

const UNEXPECTED = 'unexpected_error';

export interface ObservedCall {
  readonly route: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly response?: object;
}

export interface ObservedCounts {
  readonly admitted: number;
  readonly refused: number;
  /**
   * The HTTP requests that the service refused (401 or 403) and the library would refuse; `refused` does not include
   * these requests.
   */
  readonly refusedByBoth: number;
  readonly failed: Readonly<Record<string, number>>;
  readonly dropped: number;
}

/** Counts the calls that the guard would refuse, and never delays, refuses or fails a call. */
export class ObservedJudgements {
  readonly faults: ObservedFaults;
  readonly #counts = { admitted: 0, refused: 0, refusedByBoth: 0, dropped: 0 };
  readonly #failed = new Map<string, number>();
  readonly #refusals = new ObservedRefusals();
  readonly #answers = new PendingAnswers();
  readonly #log: ObservedLog;
  #inFlight = 0;
  #isOver = false;

  constructor(
    readonly until: string,
    log: ObservationLog,
  ) {
    this.#log = new ObservedLog(log);
    this.faults = new ObservedFaults(log);
  }

  get counts(): ObservedCounts {
    this.#answers.settle();
    return { ...this.#counts, failed: Object.fromEntries(this.#failed) };
  }

  get refusals(): readonly ObservedRefusal[] {
    this.#answers.settle();
    return this.#refusals.list();
  }

  get unlisted(): number {
    return this.#refusals.unlisted;
  }

  /** `judge` returns undefined for a call that needs no token, such as a probe. Such a call does not count. */
  observe(judge: () => unknown, describe: () => ObservedCall): void {
    if (this.#isOver) return;
    if (this.#inFlight >= MAX_IN_FLIGHT) {
      this.#counts.dropped += 1;
      this.#harmless(() => this.#log.dropped(MAX_IN_FLIGHT));
      return;
    }
    try {
      const judged = judge();
      if (judged instanceof Promise) void this.#settle(judged, describe);
      else if (judged !== undefined) this.#counts.admitted += 1;
    } catch (error) {
      this.#failedWith(error, describe);
    }
  }

  async #settle(judged: Promise<unknown>, describe: () => ObservedCall): Promise<void> {
    this.#inFlight += 1;
    try {
      if ((await judged) !== undefined && !this.#isOver) this.#counts.admitted += 1;
    } catch (error) {
      this.#failedWith(error, describe);
    } finally {
      this.#inFlight -= 1;
    }
  }

  #failedWith(error: unknown, describe: () => ObservedCall): void {
    if (this.#isOver) return;
    if (!(error instanceof BearerError)) {
      const reason = error instanceof KeycloakException ? error.reason : UNEXPECTED;
      this.#fail(reason, () => this.#log.failed(error, reason));
      return;
    }
    this.#harmless(() => {
      const call = describe();
      if (call.response === undefined) this.#refused(error, call);
      else
        this.#answers.whenAnswered(call.response, (status) => this.#harmless(() => this.#refused(error, call, status)));
    });
  }

  #fail(reason: string, log: () => void): void {
    this.#failed.set(reason, (this.#failed.get(reason) ?? 0) + 1);
    this.#harmless(log);
  }

  /** Counts an error, for example of a logger, instead of failing the call or ending the process. */
  #harmless(work: () => void): void {
    try {
      work();
    } catch {
      this.#failed.set(UNEXPECTED, (this.#failed.get(UNEXPECTED) ?? 0) + 1);
    }
  }

  #refused(refusal: BearerError, { route, fields }: ObservedCall, status?: number): void {
    if (this.#isOver) return;
    if (status === 401 || status === 403) {
      this.#counts.refusedByBoth += 1;
      return;
    }
    // Only a verified claim is called `azp`: unverified claims are in the member `unverified`.
    const {
      code,
      reason,
      fields: { azp },
    } = refusal;
    this.#counts.refused += 1;
    this.#refusals.add({ code, reason, route, ...(typeof azp === 'string' && azp !== '' ? { client: azp } : {}) });
    this.#log.refused(refusal, route, fields);
  }

  end(): void {
    this.#isOver = true;
    this.#log.end();
  }
}
