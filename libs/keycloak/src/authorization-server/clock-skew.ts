/** ClockSkew: by how much this service's clock differs from the authorization server's, as far as its answers tell. */
import { awakeClock } from '../caching/clock.js';
import type { Clock } from '../caching/clock.js';
import { unverifiedClaims } from '../protocol/unverified-claims.js';

export interface MeasuredSkew {
  /** Seconds by which this service's clock is ahead; negative where it is behind. */
  readonly aheadSeconds: number;
  readonly by: 'its Date header' | 'the iat of a token that it has just issued';
}

const RECENT_SECONDS = 60;

/** The time of the server when a clock began that no date changes, in seconds since the epoch: by one that counts the time in which the machine slept, and by one that does not. */
interface Measurement extends Pick<MeasuredSkew, 'by'> {
  readonly awake: number;
  readonly monotonic: number;
}

/** What is smaller is no other time. */
const ROUNDING_SECONDS = 1;

/** Both sources count whole seconds, and an answer is under way for a while: what is smaller than this is no difference. */
export class ClockSkew {
  #byHeader: Measurement | undefined;
  #byToken: Measurement | undefined;
  #headerSeenAtMs = -Infinity;

  readonly #awake: Clock;
  /** A machine that slept and one whose date was put forward look alike: this says for which it is taken. */
  #hasSlept = true;

  constructor(private readonly clock: Clock) {
    this.#awake = awakeClock(clock);
  }

  /**
   * `date`: the header of an answer (RFC 9110 §6.6.1), which a server or a proxy before it may send. Keycloak 26.7 sends none. An answer that has been in a
   * cache says by `age` for how long (RFC 9111 §5.1): its date is that of when it was made, and says nothing of now.
   */
  observeHeader({ date, age = '0' }: Readonly<Record<string, string>>): void {
    const serverMs = date === undefined || age !== '0' ? NaN : Date.parse(date);
    if (Number.isNaN(serverMs)) return;
    this.#byHeader = this.#measured(serverMs / 1000, 'its Date header');
    this.#headerSeenAtMs = this.clock.monotonicMs();
  }

  /** A token that was issued to this service just now. */
  observeIssued(token: string): void {
    this.observeIssuedAt(unverifiedClaims(token)['iat']);
  }

  /** `iat` of such a token. */
  observeIssuedAt(iat: unknown): void {
    if (typeof iat !== 'number' || !Number.isFinite(iat)) return;
    this.#byToken = this.#measured(iat, 'the iat of a token that it has just issued');
  }

  /** The last measurement by a header, if there was one in the last minute; else that by a token. Undefined before any. */
  get measured(): MeasuredSkew | undefined {
    const isRecent = this.clock.monotonicMs() - this.#headerSeenAtMs < RECENT_SECONDS * 1000;
    const last = isRecent ? this.#byHeader : (this.#byToken ?? this.#byHeader);
    if (last === undefined) return undefined;
    const serverSeconds = this.#hasSlept
      ? last.awake + this.#awake.monotonicMs() / 1000
      : last.monotonic + this.clock.monotonicMs() / 1000;
    return { aheadSeconds: Math.round(this.clock.epochSeconds() - serverSeconds), by: last.by };
  }

  /** The server's time as far as it is known, or this machine's where that is later: until then tokens may have been issued. In seconds since the epoch. */
  latestSeconds(): number {
    return this.clock.epochSeconds() + Math.max(0, -(this.measured?.aheadSeconds ?? 0));
  }

  /** The server refused what was dated by this. Returns whether its time may be another one, by which it is worth another try. */
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
