import { AgingMap } from '../caching/aging-map.js';
import type { Clock } from '../caching/clock.js';
import type { IntrospectionAnswer } from '../protocol/claims.js';
import { readDenial, type Denial, type ReadDenial } from '../protocol/denial.js';
import { TOKEN_PROFILES, type TokenProfile } from '../protocol/token-profile.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import { UnsharedDenials, type HeldDenial } from './unshared-denials.js';

export interface HeldDenialsOptions {
  readonly maxRevocations: number;
  readonly revocationRetentionSeconds: number;
  readonly clockToleranceSeconds: number;
}

export interface RevocationLog {
  warn(message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** A denial may expire in the channel up to `EARLY_MS` too early, because clocks differ. */
const EARLY_MS = 5000;

const WARNING_PAUSE_MS = 60_000;

/** A full list drops the denial that expires first, and then refuses all tokens issued before that denial. */
export class HeldDenials {
  // Each map is in the order of insertion. Local denials expire in the order of insertion, but an entry from the
  // channel may expire before an earlier entry.
  readonly #entries: Readonly<Record<ReadDenial['kind'], AgingMap<HeldDenial>>> = {
    session: new AgingMap(),
    onlineSession: new AgingMap(),
    subject: new AgingMap(),
    token: new AgingMap(),
    tokenId: new AgingMap(),
  };
  /** Every token issued before `#floor + clockToleranceSeconds` (epoch seconds) is refused. */
  #floor = -Infinity;
  /** The size is a field, because each request reads the size (perf: guard-overhead). */
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

  get unshared(): Pick<UnsharedDenials, 'size' | 'toAppendSize' | 'fresh' | 'toRepeat' | 'markUnreadFresh'> {
    return this.#unshared;
  }

  get size(): number {
    return this.#size;
  }

  deny(denial: Denial): void {
    const toHold = readDenial(denial);
    const nowMs = this.clock.monotonicMs();
    this.#dropEnded(nowMs);
    const deniedAt = this.clock.epochSeconds();
    for (const one of toHold) this.#unshared.add(this.#hold(one, deniedAt, nowMs));
    for (const listener of this.#onDenied) listener();
  }

  onDenied(listener: () => void): void {
    this.#onDenied.push(listener);
  }

  /** The sender's clock may be ahead, so `at` is limited to `takenAt`, the time by the channel's clock. */
  receive(denial: ReadDenial, at: number, takenAt: number, ageSeconds: number): void {
    if (ageSeconds >= this.options.revocationRetentionSeconds) return;
    const nowMs = this.clock.monotonicMs();
    this.#dropEnded(nowMs);
    const earlier = this.#entries[denial.kind].get(denial.key);
    // A local denial that is stricter than the received denial must still be shared with the other replicas.
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

  /** Shares a denial again if the copy in the channel expires too early; that copy may be forged. */
  #noteShared(held: HeldDenial, takenAt: number): void {
    const takenMs = this.clock.monotonicMs() - (this.clock.epochSeconds() - takenAt) * 1000;
    const endsEarlyMs = held.endsAtMs - takenMs - this.options.revocationRetentionSeconds * 1000;
    this.#unshared.delete(held);
    if (endsEarlyMs > EARLY_MS) this.#unshared.add(held);
  }

  /** Returns true if the list is full and `#floor` replaces this denial. */
  #isOutside(floor: number, fromMs: number): boolean {
    if (this.size < this.options.maxRevocations) return false;
    if (floor <= this.#floor) return true;
    const first = this.#first();
    if (first === undefined || fromMs + this.options.revocationRetentionSeconds * 1000 > first.endsAtMs) return false;
    this.#raiseFloor(floor);
    return true;
  }

  receiveFloor(at: number, takenAt: number, ageSeconds: number): void {
    if (at === this.#floor && takenAt >= at - EARLY_MS / 1000) this.#unshared.deleteFloor();
    const floor = Math.min(at, takenAt);
    if (floor <= this.#floor || ageSeconds >= this.options.revocationRetentionSeconds) return;
    this.#floor = floor;
    this.#unshared.deleteFloor();
    for (const listener of this.#onDenied) listener();
  }

  floorToShare(sharing: 'fresh' | 'repeat'): number | undefined {
    return this.#unshared.isFloor(sharing) && this.#isFloorOfUse() ? this.#floor : undefined;
  }

  get areAllRead(): boolean {
    return this.#unshared.size === 0 && (this.#unshared.isFloorRead || !this.#isFloorOfUse());
  }

  markTaken(denials: readonly HeldDenial[], floor?: number): void {
    this.#unshared.markTaken(denials, floor === this.#floor);
  }

  markAllToRepeat(): void {
    this.#unshared.markToRepeat(Object.values(this.#entries).flatMap((entries) => [...entries.values()]));
  }

  #isFloorOfUse(): boolean {
    return this.clock.epochSeconds() - this.#floor < this.options.revocationRetentionSeconds;
  }

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

  denies(token: VerifiedAccessToken): boolean {
    // This code runs for every request, so `token.hash` is computed only if necessary.
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

  /**
   * Returns whether the token belongs to an offline session whose online session is denied. Only the authorization
   * server knows whether the offline session has also ended.
   */
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

  #first(): HeldDenial | undefined {
    const [first] = Object.values(this.#entries)
      .flatMap((entries) => entries.first() ?? [])
      .toSorted((one, other) => one.endsAtMs - other.endsAtMs);
    return first;
  }

  #dropFirst(): void {
    const first = this.#first();
    if (first === undefined) return;
    this.#drop(first);
    this.#raiseFloor(Math.min(first.issuedBefore, first.deniedAt));
    this.#warn();
  }

  /** Limits `#floor` to the current time, because a time in the future would refuse new tokens. */
  #raiseFloor(epochSeconds: number): void {
    const floor = Math.min(epochSeconds, this.clock.epochSeconds());
    if (floor <= this.#floor) return;
    this.#floor = floor;
    this.#unshared.addFloor();
  }

  #warn(): void {
    this.#goneEarly += 1;
    const nowMs = this.clock.monotonicMs();
    if (nowMs < this.#warnAgainAtMs) return;
    this.#warnAgainAtMs = nowMs + WARNING_PAUSE_MS;
    const { maxRevocations } = this.options;
    const fields = {
      maxRevocations,
      goneEarly: this.#goneEarly,
      refusedIssuedBefore: this.#floor + this.options.clockToleranceSeconds,
    };
    this.log.warn('The revocation list is full, so older tokens are refused. Raise maxRevocations', fields);
    this.#goneEarly = 0;
  }
}
