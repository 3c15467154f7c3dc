/** Who is logged in, and which tokens were revoked before their time. */
import { randomBytes } from 'node:crypto';
import type { AdjustableClock } from './adjustable-clock.js';
import type { SessionNotes } from './tokens/mapped-claims.js';
import type { RealmUser } from './realm/realm-representation.js';
import type { Realm } from './realm/realm.js';

export interface Session {
  /** `sid` of its tokens. */
  readonly sid: string;
  readonly user: RealmUser;
  readonly startedAt: number;
  lastSeenAt: number;
  /** The second in which its user last showed the password in a browser; none for the password grant. */
  authTime?: number;
  /** What the browser's cookie says beside `sid`. */
  readonly browserKey: string;
  /** Which clients have tokens of it, each since which second. */
  readonly clients: Map<string, number>;
}

/** What mappers can tell of a session. */
export const notesOf = (session: Session | undefined): SessionNotes =>
  session?.authTime === undefined ? {} : { AUTH_TIME: String(session.authTime) };

export class Sessions {
  private readonly sessions = new Map<string, Session>();
  private readonly revokedIds = new Set<string>();

  constructor(
    private readonly realm: Realm,
    private readonly clock: AdjustableClock,
  ) {}

  begin(user: RealmUser): Session {
    const now = this.clock.now();
    const session = {
      sid: newKey(18),
      user,
      startedAt: now,
      lastSeenAt: now,
      browserKey: newKey(32),
      clients: new Map<string, number>(),
    };
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
    const idleUntil = session.lastSeenAt + this.realm.settings.ssoSessionIdleTimeout;
    return Math.min(idleUntil, this.latestEnd(session)) - this.clock.now();
  }

  /** The second beyond which nothing keeps it alive, and no token of it. */
  latestEnd({ startedAt }: Session): number {
    return startedAt + this.realm.settings.ssoSessionMaxLifespan;
  }

  touch(session: Session): void {
    session.lastSeenAt = this.clock.now();
  }

  /** A client takes part from now on, unless it does already. */
  join({ clients }: Session, clientId: string): void {
    if (!clients.has(clientId)) clients.set(clientId, this.clock.now());
  }

  /** Its tokens count no more, those of other clients do. It may come back: tokens from before don't. */
  leave({ clients }: Session, clientId: string): void {
    clients.delete(clientId);
  }

  end(sid: string): void {
    this.sessions.delete(sid);
  }

  endAllOf(user: RealmUser): void {
    for (const { sid } of this.allOf(user)) this.end(sid);
  }

  allOf(user: RealmUser): Session[] {
    return [...this.sessions.values()].filter((session) => session.user === user);
  }

  /** One token, by its `jti`. Tokens that were exchanged for it stay as they are. */
  revoke(tokenId: string): void {
    this.revokedIds.add(tokenId);
  }

  isRevoked(tokenId: string): boolean {
    return this.revokedIds.has(tokenId);
  }
}

const newKey = (bytes: number): string => randomBytes(bytes).toString('base64url');
