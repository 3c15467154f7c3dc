/** RevocationList: what this service refuses from now on, whatever Keycloak says of it. */
import type { Clock } from '../caching/clock.js';
import { readDenial, type Denial, type ReadDenial } from '../protocol/denial.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';

export interface RevocationListOptions {
  /** Bound on the denials that are held. */
  readonly maxRevocations: number;
  /** How long each is held: longer than any token lives. */
  readonly revocationMemorySeconds: number;
  /** Clock skew tolerated between Keycloak and this service. */
  readonly clockToleranceSeconds: number;
}

/** The part of Nest's `Logger` that is used. */
export interface RevocationLog {
  warn(message: string, fields: Readonly<Record<string, unknown>>): void;
}

interface Entry {
  readonly issuedBefore: number;
  /** Seconds since the epoch. */
  readonly deniedAt: number;
  readonly endsAtMs: number;
}

/** A list that is full warns at most so often. */
const WARNING_PAUSE_MS = 60_000;

/**
 * `deny()` is the one way in, for a logout notice, an administrator's request or a channel between services. What is
 * denied is refused with 401 `invalid_token` (reason `revoked`) on every guarded route, and is not exchanged any more:
 * from the next request on, answers and tokens that are kept included, and for `revocationMemorySeconds`.
 *
 * It does NOT tell Keycloak or other services, keep anything over a restart, or end calls that are in flight. It can't be
 * switched off. When it is full, the denial that would end first goes early, with a warning in the log; from then on every
 * token issued before that denial was made is refused, whosesoever it is: what was denied does not come back for it.
 */
export class RevocationList {
  // In each, in the order in which they end: all are held for the same time, and one that is denied again goes to the end.
  readonly #entries: Readonly<Record<ReadDenial['kind'], Map<string, Entry>>> = {
    session: new Map(),
    subject: new Map(),
    token: new Map(),
    tokenId: new Map(),
  };
  /** Tokens issued earlier are refused, whosesoever they are; seconds since the epoch. */
  #floor = -Infinity;
  #goneEarly = 0;
  #warnAgainAtMs = -Infinity;
  readonly #listeners: (() => void)[] = [];

  constructor(
    private readonly options: RevocationListOptions,
    private readonly clock: Clock,
    private readonly log: RevocationLog,
  ) {}

  /**
   * How many denials are held, at most `maxRevocations`; that of a token with its `jti` counts twice. Those whose time is over
   * are counted until the next one comes.
   */
  get size(): number {
    const { session, subject, token, tokenId } = this.#entries;
    return session.size + subject.size + token.size + tokenId.size;
  }

  /**
   * Holds at once, and for `revocationMemorySeconds` from now. To deny the same again does no harm: it is held longer, and
   * of two `issuedBefore` the later one counts. Throws `TypeError` when `denial` is not exactly one `Denial`.
   */
  deny(denial: Denial): void {
    const toHold = readDenial(denial);
    const nowMs = this.clock.monotonicMs();
    this.#dropEnded(nowMs);
    for (const one of toHold) this.#hold(one, nowMs);
    for (const listener of this.#listeners) listener();
  }

  /** Calls `listener` after each denial. @internal */
  onDenied(listener: () => void): void {
    this.#listeners.push(listener);
  }

  #hold({ kind, key, issuedBefore }: ReadDenial, nowMs: number): void {
    const entries = this.#entries[kind];
    const earlier = entries.get(key);
    entries.delete(key);
    while (this.size >= this.options.maxRevocations) this.#dropFirst(nowMs);
    entries.set(key, {
      issuedBefore: Math.max(issuedBefore, earlier?.issuedBefore ?? 0),
      deniedAt: this.clock.epochSeconds(),
      endsAtMs: nowMs + this.options.revocationMemorySeconds * 1000,
    });
  }

  /** Whether `token` is denied: by its session, its subject or itself. The guard and the token exchange ask this. */
  denies(token: VerifiedAccessToken): boolean {
    // Asked on every request: nothing but this while nothing is denied, and no hash while no single token is.
    if (this.size === 0 && this.#floor === -Infinity) return false;
    const { sid, sub, jti, iat = -Infinity } = token.claims;
    const { session, subject, token: single, tokenId } = this.#entries;
    return (
      iat < this.#floor ||
      (sid !== undefined && this.#holds(session.get(sid), iat)) ||
      this.#holds(subject.get(sub), iat) ||
      (jti !== undefined && this.#holds(tokenId.get(jti), iat)) ||
      (single.size > 0 && this.#holds(single.get(token.hash), iat))
    );
  }

  #holds(entry: Entry | undefined, iat: number): boolean {
    return entry !== undefined && iat < entry.issuedBefore && this.clock.monotonicMs() < entry.endsAtMs;
  }

  #dropEnded(nowMs: number): void {
    for (const entries of Object.values(this.#entries)) {
      for (const [key, { endsAtMs }] of entries) {
        if (nowMs < endsAtMs) break;
        entries.delete(key);
      }
    }
  }

  /** The one that would end first; the floor takes its place, for it must not let in what it kept out. */
  #dropFirst(nowMs: number): void {
    const [first] = Object.values(this.#entries)
      .flatMap((entries) => {
        const { value } = entries.entries().next();
        return value === undefined ? [] : [{ entries, key: value[0], entry: value[1] }];
      })
      .toSorted((one, other) => one.entry.endsAtMs - other.entry.endsAtMs);
    if (first === undefined) return;
    const { entries, key, entry } = first;
    entries.delete(key);
    // Not in the future, whatever was done to the date: that would keep everybody out until then.
    const issuedBefore = Math.min(entry.issuedBefore, entry.deniedAt, this.clock.epochSeconds());
    this.#floor = Math.max(this.#floor, issuedBefore + this.options.clockToleranceSeconds);
    this.#warn(nowMs);
  }

  #warn(nowMs: number): void {
    this.#goneEarly += 1;
    if (nowMs < this.#warnAgainAtMs) return;
    this.#warnAgainAtMs = nowMs + WARNING_PAUSE_MS;
    const { maxRevocations } = this.options;
    const fields = { maxRevocations, goneEarly: this.#goneEarly, refusedIssuedBefore: this.#floor };
    this.log.warn('The revocation list is full: raise maxRevocations. Older tokens are refused altogether', fields);
    this.#goneEarly = 0;
  }
}
