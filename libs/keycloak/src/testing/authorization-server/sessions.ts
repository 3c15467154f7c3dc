/** Who is logged in, and which tokens were revoked before their time. */
import { randomBytes } from 'node:crypto';
import type { AdjustableClock } from './adjustable-clock.js';
import type { RealmUser } from './realm-representation.js';
import type { Realm } from './realm.js';

export interface Session {
  /** `sid` of its tokens. */
  readonly sid: string;
  readonly user: RealmUser;
  readonly startedAt: number;
  lastSeenAt: number;
}

export class Sessions {
  private readonly sessions = new Map<string, Session>();
  private readonly revokedIds = new Set<string>();

  constructor(
    private readonly realm: Realm,
    private readonly clock: AdjustableClock,
  ) {}

  begin(user: RealmUser): Session {
    const now = this.clock.now();
    const session = { sid: randomBytes(18).toString('base64url'), user, startedAt: now, lastSeenAt: now };
    this.sessions.set(session.sid, session);
    return session;
  }

  /** A session that has neither ended nor run out. */
  find(sid: string): Session | undefined {
    const session = this.sessions.get(sid);
    return session !== undefined && this.secondsLeft(session) > 0 ? session : undefined;
  }

  /** As long as it lives if nobody touches it. */
  secondsLeft(session: Session): number {
    const idleUntil = session.lastSeenAt + this.realm.sessionIdleSeconds;
    return Math.min(idleUntil, this.latestEnd(session)) - this.clock.now();
  }

  /** The second beyond which nothing keeps it alive, and no token of it. */
  latestEnd({ startedAt }: Session): number {
    return startedAt + this.realm.sessionMaxSeconds;
  }

  touch(session: Session): void {
    session.lastSeenAt = this.clock.now();
  }

  end(sid: string): void {
    this.sessions.delete(sid);
  }

  endAllOf(user: RealmUser): void {
    for (const session of this.sessions.values()) if (session.user === user) this.sessions.delete(session.sid);
  }

  /** One token, by its `jti`. Tokens that were exchanged for it stay as they are. */
  revoke(tokenId: string): void {
    this.revokedIds.add(tokenId);
  }

  isRevoked(tokenId: string): boolean {
    return this.revokedIds.has(tokenId);
  }
}
