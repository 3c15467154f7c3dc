/** ClockSkew: by how much this service's clock differs from the authorization server's, as far as its answers tell. */
import type { Clock } from '../caching/clock.js';
import { unverifiedClaims } from '../protocol/unverified-claims.js';

export interface MeasuredSkew {
  /** Seconds by which this service's clock is ahead; negative where it is behind. */
  readonly aheadSeconds: number;
  readonly by: 'its Date header' | 'the iat of a token that it has just issued';
}

const RECENT_SECONDS = 60;

/** Both sources count whole seconds, and an answer is under way for a while: what is smaller than this is no difference. */
export class ClockSkew {
  #byHeader: MeasuredSkew | undefined;
  #byToken: MeasuredSkew | undefined;
  #headerSeenAt = -Infinity;

  constructor(private readonly clock: Pick<Clock, 'epochSeconds'>) {}

  /**
   * `date`: the header of an answer (RFC 9110 §6.6.1), which a server or a proxy before it may send. Keycloak 26.7 sends none. An answer that has been in a
   * cache says by `age` for how long (RFC 9111 §5.1): its date is that of when it was made, and says nothing of now.
   */
  observeHeader({ date, age = '0' }: Readonly<Record<string, string>>): void {
    const serverMs = date === undefined || age !== '0' ? NaN : Date.parse(date);
    if (Number.isNaN(serverMs)) return;
    this.#byHeader = { aheadSeconds: this.#ahead(serverMs / 1000), by: 'its Date header' };
    this.#headerSeenAt = this.clock.epochSeconds();
  }

  /** A token that was issued to this service just now. */
  observeIssued(token: string): void {
    this.observeIssuedAt(unverifiedClaims(token)['iat']);
  }

  /** `iat` of such a token. */
  observeIssuedAt(iat: unknown): void {
    if (typeof iat !== 'number' || !Number.isFinite(iat)) return;
    this.#byToken = { aheadSeconds: this.#ahead(iat), by: 'the iat of a token that it has just issued' };
  }

  /** The last measurement by a header, if there was one in the last minute; else that by a token. Undefined before any. */
  get measured(): MeasuredSkew | undefined {
    const isRecent = this.clock.epochSeconds() - this.#headerSeenAt < RECENT_SECONDS;
    return isRecent ? this.#byHeader : (this.#byToken ?? this.#byHeader);
  }

  /** The server's time as far as it is known, or this machine's where that is later: until then tokens may have been issued. In seconds since the epoch. */
  latestSeconds(): number {
    return this.clock.epochSeconds() + Math.max(0, -(this.measured?.aheadSeconds ?? 0));
  }

  #ahead(serverSeconds: number): number {
    return Math.round(this.clock.epochSeconds() - serverSeconds);
  }
}
