/** Held denials: the denials that are in force, and the floor. */
import { AgingMap } from '../caching/aging-map.js';
import type { Clock } from '../caching/clock.js';
import type { IntrospectionAnswer } from '../protocol/claims.js';
import { readDenial, type Denial, type ReadDenial } from '../protocol/denial.js';
import { TOKEN_PROFILES, type TokenProfile } from '../protocol/token-profile.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import { UnsharedDenials, type HeldDenial } from './unshared-denials.js';

export interface HeldDenialsOptions {
  /** Bound on the denials that are held. */
  readonly maxRevocations: number;
  /** How long each is held: longer than any token lives. */
  readonly revocationRetentionSeconds: number;
  /** Clock skew tolerated between Keycloak and this service. */
  readonly clockToleranceSeconds: number;
}

/** The part of Nest's `Logger` that is used. */
export interface RevocationLog {
  warn(message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** A copy of what is held here counts as shared if it ends at most so much earlier. Clocks may be set meanwhile. */
const EARLY_MS = 5000;

/** A list that is full warns at most so often. */
const WARNING_PAUSE_MS = 60_000;

/**
 * Holds what was denied here and by other replicas, within bounds. When it is full, the denial that would end first goes early, and the floor rises to the time
 * at which it was made: what was denied does not come back for it.
 */
export class HeldDenials {
  // In each, in the order in which they end: all are held for the same time, and one that is denied again goes to the end. One that
  // came by the channel may stand after younger ones, and is dropped after them.
  readonly #entries: Readonly<Record<ReadDenial['kind'], AgingMap<HeldDenial>>> = {
    session: new AgingMap(),
    onlineSession: new AgingMap(),
    subject: new AgingMap(),
    token: new AgingMap(),
    tokenId: new AgingMap(),
  };
  /** Seconds since the epoch. Every token issued earlier, with the tolerance for clocks, is refused. */
  #floor = -Infinity;
  /** The number of all entries. Each request reads it (perf: guard-overhead). */
  #size = 0;
  #goneEarly = 0;
  #warnAgainAtMs = -Infinity;
  readonly #unshared: UnsharedDenials;
  readonly #onDenied: (() => void)[] = [];

  constructor(
    private readonly options: HeldDenialsOptions,
    private readonly clock: Clock,
    private readonly log: RevocationLog,
    private readonly profile: Pick<TokenProfile, 'isOffline'> = TOKEN_PROFILES.keycloak,
  ) {
    this.#unshared = new UnsharedDenials(clock);
  }

  /** What other replicas are still to be told. */
  get unshared(): Pick<UnsharedDenials, 'size' | 'toAppendSize' | 'fresh' | 'toRepeat' | 'markUnreadFresh'> {
    return this.#unshared;
  }

  /**
   * How many denials are held, at most `maxRevocations`; that of a token with its `jti` counts twice. Those whose time is over
   * are counted until the next one comes.
   */
  get size(): number {
    return this.#size;
  }

  /** As `RevocationList.deny()`. */
  deny(denial: Denial): void {
    const toHold = readDenial(denial);
    const nowMs = this.clock.monotonicMs();
    this.#dropEnded(nowMs);
    const deniedAt = this.clock.epochSeconds();
    for (const one of toHold) this.#unshared.add(this.#hold(one, deniedAt, nowMs));
    for (const listener of this.#onDenied) listener();
  }

  /** Calls `listener` after each denial, those of other replicas too. */
  onDenied(listener: () => void): void {
    this.#onDenied.push(listener);
  }

  /**
   * A denial that came by the channel: another replica's, or one of ours. `at`: when it was made, by its maker's clock; `takenAt`: when the channel took it. No
   * clock that is ahead makes it later than that.
   */
  receive(denial: ReadDenial, at: number, takenAt: number, ageSeconds: number): void {
    if (ageSeconds >= this.options.revocationRetentionSeconds) return;
    const nowMs = this.clock.monotonicMs();
    this.#dropEnded(nowMs);
    const earlier = this.#entries[denial.kind].get(denial.key);
    // What is held here and is more than that, the others are still to be told.
    const isLess = earlier !== undefined && (denial.issuedBefore < earlier.issuedBefore || at < earlier.deniedAt);
    const isSame = earlier?.issuedBefore === denial.issuedBefore && earlier.deniedAt === at;
    if (isSame) this.#noteShared(earlier, takenAt);
    if (isSame || (isLess && denial.issuedBefore <= earlier.issuedBefore)) return;
    const deniedAt = Math.min(at, takenAt);
    const fromMs = nowMs - ageSeconds * 1000;
    if (earlier === undefined && this.#isOutside(Math.min(denial.issuedBefore, deniedAt), fromMs)) return;
    const held = this.#hold(denial, deniedAt, fromMs);
    if (isLess) this.#unshared.add(held);
    for (const listener of this.#onDenied) listener();
  }

  /** A copy with an earlier time, which anybody can write, would end early at the other replicas: then they are still to be told. */
  #noteShared(held: HeldDenial, takenAt: number): void {
    const takenMs = this.clock.monotonicMs() - (this.clock.epochSeconds() - takenAt) * 1000;
    const endsEarlyMs = held.endsAtMs - takenMs - this.options.revocationRetentionSeconds * 1000;
    this.#unshared.delete(held);
    if (endsEarlyMs > EARLY_MS) this.#unshared.add(held);
  }

  /** Whether a full list has no place for it, and the floor stands for it: it must not push out what is younger. */
  #isOutside(floor: number, fromMs: number): boolean {
    if (this.size < this.options.maxRevocations) return false;
    if (floor <= this.#floor) return true;
    const first = this.#first();
    if (first === undefined || fromMs + this.options.revocationRetentionSeconds * 1000 > first.endsAtMs) return false;
    this.#raiseFloor(floor);
    return true;
  }

  /** A floor that came by the channel: every token that was issued before `at` is refused, with the tolerance for clocks. As `receive`. */
  receiveFloor(at: number, takenAt: number, ageSeconds: number): void {
    if (at === this.#floor && takenAt >= at - EARLY_MS / 1000) this.#unshared.deleteFloor();
    const floor = Math.min(at, takenAt);
    if (floor <= this.#floor || ageSeconds >= this.options.revocationRetentionSeconds) return;
    this.#floor = floor;
    this.#unshared.deleteFloor();
    for (const listener of this.#onDenied) listener();
  }

  /** The floor, where other replicas do not know of it (`fresh`) or may have lost it (`repeat`); in seconds since the epoch. */
  floorToShare(sharing: 'fresh' | 'repeat'): number | undefined {
    return this.#unshared.isFloor(sharing) && this.#isFloorOfUse() ? this.#floor : undefined;
  }

  /** Whether the channel has all that was denied here, and all has been read from it. */
  get areAllRead(): boolean {
    return this.#unshared.size === 0 && (this.#unshared.isFloorRead || !this.#isFloorOfUse());
  }

  /** The channel took them, and this floor. */
  markTaken(denials: readonly HeldDenial[], floor?: number): void {
    this.#unshared.markTaken(denials, floor === this.#floor);
  }

  /** The channel may have lost all that is held here. */
  markAllToRepeat(): void {
    this.#unshared.markToRepeat(Object.values(this.#entries).flatMap((entries) => [...entries.values()]));
  }

  /** What was issued before it has expired after that time. */
  #isFloorOfUse(): boolean {
    return this.clock.epochSeconds() - this.#floor < this.options.revocationRetentionSeconds;
  }

  /** `fromMs`: when it was denied; monotonic. */
  #hold(denial: ReadDenial, deniedAt: number, fromMs: number): HeldDenial {
    const { kind, key, issuedBefore } = denial;
    const entries = this.#entries[kind];
    const earlier = entries.get(key);
    if (earlier !== undefined) this.#drop(earlier);
    while (this.size >= this.options.maxRevocations) this.#dropFirst();
    const held: HeldDenial = {
      kind,
      key,
      issuedBefore: Math.max(issuedBefore, earlier?.issuedBefore ?? 0),
      deniedAt: Math.max(deniedAt, earlier?.deniedAt ?? 0),
      endsAtMs: Math.max(fromMs + this.options.revocationRetentionSeconds * 1000, earlier?.endsAtMs ?? 0),
    };
    entries.set(key, held);
    this.#size += 1;
    return held;
  }

  #drop(held: HeldDenial): void {
    if (this.#entries[held.kind].delete(held.key)) this.#size -= 1;
    this.#unshared.delete(held);
  }

  /** As `RevocationList.denies()`. */
  denies(token: VerifiedAccessToken): boolean {
    // Asked on every request: nothing but this while nothing is denied, and no hash while no single token is.
    if (this.#size === 0 && this.#floor === -Infinity) return false;
    const { sid, sub, jti, iat = -Infinity } = token.claims;
    const { session, onlineSession, subject, token: single, tokenId } = this.#entries;
    return (
      iat < this.#floor + this.options.clockToleranceSeconds ||
      (sid !== undefined && this.#holds(session.get(sid), iat)) ||
      (sid !== undefined && this.#holds(onlineSession.get(sid), iat) && !this.profile.isOffline(token.claims)) ||
      this.#holds(subject.get(sub), iat) ||
      (jti !== undefined && this.#holds(tokenId.get(jti), iat)) ||
      (single.size > 0 && this.#holds(single.get(token.hash), iat))
    );
  }

  /** Whether it is of an offline session whose online one has ended: whether it has ended as well, the authorization server alone knows. */
  leavesOpen(claims: IntrospectionAnswer): boolean {
    const { onlineSession } = this.#entries;
    if (onlineSession.size === 0 || !this.profile.isOffline(claims)) return false;
    const { sid, iat } = claims;
    const entry = typeof sid === 'string' ? onlineSession.get(sid) : undefined;
    return this.#holds(entry, typeof iat === 'number' ? iat : -Infinity);
  }

  #holds(entry: HeldDenial | undefined, iat: number): boolean {
    return entry !== undefined && iat < entry.issuedBefore && this.clock.monotonicMs() < entry.endsAtMs;
  }

  #dropEnded(nowMs: number): void {
    for (const entries of Object.values(this.#entries)) {
      for (let first = entries.first(); first !== undefined && nowMs >= first.endsAtMs; first = entries.first()) {
        this.#drop(first);
      }
    }
  }

  /** The one that would end first, as far as the order of each kind tells. */
  #first(): HeldDenial | undefined {
    const [first] = Object.values(this.#entries)
      .flatMap((entries) => entries.first() ?? [])
      .toSorted((one, other) => one.endsAtMs - other.endsAtMs);
    return first;
  }

  /** The floor takes its place, for it must not let in what it kept out. */
  #dropFirst(): void {
    const first = this.#first();
    if (first === undefined) return;
    this.#drop(first);
    this.#raiseFloor(Math.min(first.issuedBefore, first.deniedAt));
    this.#warn(this.clock.monotonicMs());
  }

  /** Not into the future, whatever was done to the date: that would keep everybody out until then. */
  #raiseFloor(epochSeconds: number): void {
    const floor = Math.min(epochSeconds, this.clock.epochSeconds());
    if (floor <= this.#floor) return;
    this.#floor = floor;
    this.#unshared.addFloor();
  }

  #warn(nowMs: number): void {
    this.#goneEarly += 1;
    if (nowMs < this.#warnAgainAtMs) return;
    this.#warnAgainAtMs = nowMs + WARNING_PAUSE_MS;
    const { maxRevocations } = this.options;
    const fields = {
      maxRevocations,
      goneEarly: this.#goneEarly,
      refusedIssuedBefore: this.#floor + this.options.clockToleranceSeconds,
    };
    this.log.warn('The revocation list is full: raise maxRevocations. Older tokens are refused altogether', fields);
    this.#goneEarly = 0;
  }
}
