import { awakeClock } from '../caching/clock.js';
import type { Clock } from '../caching/clock.js';
import { unverifiedClaims } from '../protocol/unverified-claims.js';

export interface MeasuredSkew {
  /** How far this service's clock is ahead of the server's (negative: behind). */
  readonly aheadSeconds: number;
  readonly by: 'its Date header' | 'the iat of a token that it has just issued';
}

const RECENT_SECONDS = 60;

/**
 * `awake` is the server's time (epoch seconds) when the awake clock showed 0; `monotonic` is the server's time when the
 * monotonic clock showed 0. The monotonic clock ignores changes of the date. While the machine sleeps, the awake clock
 * continues and the monotonic clock stops.
 */
interface Measurement extends Pick<MeasuredSkew, 'by'> {
  readonly awake: number;
  readonly monotonic: number;
}

const ROUNDING_SECONDS = 1;

/** A clock difference of a second is ignored, because `Date` and `iat` have whole seconds and arrive late. */
export class ClockSkew {
  #byHeader: Measurement | undefined;
  #byToken: Measurement | undefined;
  #headerSeenAtMs = -Infinity;

  readonly #awake: Clock;
  /** Whether this machine seems to have slept. A forward date change looks like a sleep. */
  #hasSlept = true;

  constructor(private readonly clock: Clock) {
    this.#awake = awakeClock(clock);
  }

  /**
   * Measures the skew from the `Date` header (RFC 9110 §6.6.1), which Keycloak 26.7 does not send. Ignores cached
   * answers, which have an `Age` header (RFC 9111 §5.1).
   */
  observeHeader({ date, age = '0' }: Readonly<Record<string, string>>): void {
    const serverMs = date === undefined || age !== '0' ? NaN : Date.parse(date);
    if (Number.isNaN(serverMs)) return;
    this.#byHeader = this.#measured(serverMs / 1000, 'its Date header');
    this.#headerSeenAtMs = this.clock.monotonicMs();
  }

  observeIssued(token: string): void {
    this.observeIssuedAt(unverifiedClaims(token)['iat']);
  }

  observeIssuedAt(iat: unknown): void {
    if (typeof iat !== 'number' || !Number.isFinite(iat)) return;
    this.#byToken = this.#measured(iat, 'the iat of a token that it has just issued');
  }

  get measured(): MeasuredSkew | undefined {
    const isRecent = this.clock.monotonicMs() - this.#headerSeenAtMs < RECENT_SECONDS * 1000;
    const last = isRecent ? this.#byHeader : (this.#byToken ?? this.#byHeader);
    if (last === undefined) return undefined;
    const serverSeconds = this.#hasSlept
      ? last.awake + this.#awake.monotonicMs() / 1000
      : last.monotonic + this.clock.monotonicMs() / 1000;
    return { aheadSeconds: Math.round(this.clock.epochSeconds() - serverSeconds), by: last.by };
  }

  /** The latest plausible `iat` is the later of the server's time and this machine's time. */
  latestSeconds(): number {
    return this.clock.epochSeconds() + Math.max(0, -(this.measured?.aheadSeconds ?? 0));
  }

  /** Whether to retry a refused assertion: true if the clock skew may differ from `aheadSeconds`. */
  doubt(aheadSeconds: number): boolean {
    const isOther = (): boolean => Math.abs((this.measured?.aheadSeconds ?? 0) - aheadSeconds) > ROUNDING_SECONDS;
    if (isOther()) return true;
    this.#hasSlept = !this.#hasSlept;
    return isOther();
  }

  #measured(serverSeconds: number, by: MeasuredSkew['by']): Measurement {
    this.#hasSlept = true;
    const awake = serverSeconds - this.#awake.monotonicMs() / 1000;
    return { awake, monotonic: serverSeconds - this.clock.monotonicMs() / 1000, by };
  }
}
