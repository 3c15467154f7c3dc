/** Sessions: the logged-in users, and the tokens that were revoked before they expired. */
import { randomBytes } from 'node:crypto';
import type { AdjustableClock } from './adjustable-clock.js';
import { SSO_AUTH, type SessionNotes } from './tokens/mapped-claims.js';
import type { RealmUser } from './realm/realm-representation.js';
import type { Realm } from './realm/realm.js';

export interface Session {
  /** The `sid` of its tokens. */
  readonly sid: string;
  readonly user: RealmUser;
  readonly startedAt: number;
  lastSeenAt: number;
  /** When the user last entered the password in a browser, in seconds; undefined for the password grant. */
  authTime?: number;
  /** The secret that the browser's cookie contains beside `sid`. */
  readonly browserKey: string;
  /** The clients that take part in the session, each with the second in which it joined. */
  readonly clients: Map<string, number>;
  /** Those of them whose last code came without a login. */
  readonly withoutLogin: Set<string>;
}

/** What mappers can read of a session, for the tokens of one client. */
export const notesOf = (session: Session | undefined, clientId: string): SessionNotes => ({
  ...(session?.authTime === undefined ? {} : { AUTH_TIME: String(session.authTime) }),
  ...(session?.withoutLogin.has(clientId) === true ? { [SSO_AUTH]: 'true' } : {}),
});

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
      withoutLogin: new Set<string>(),
    };
    this.sessions.set(session.sid, session);
    return session;
  }

  /** Finds a session that has neither ended nor expired. */
  find(sid: string): Session | undefined {
    const session = this.sessions.get(sid);
    return session !== undefined && this.secondsLeft(session) > 0 ? session : undefined;
  }

  /** Seconds until the session expires if it is not used. */
  secondsLeft(session: Session): number {
    const idleUntil = session.lastSeenAt + this.realm.settings.ssoSessionIdleTimeout;
    return Math.min(idleUntil, this.latestEnd(session)) - this.clock.now();
  }

  /** The second in which the session and its tokens expire at the latest, however often it is used. */
  latestEnd({ startedAt }: Session): number {
    return startedAt + this.realm.settings.ssoSessionMaxLifespan;
  }

  touch(session: Session): void {
    session.lastSeenAt = this.clock.now();
  }

  /** Adds a client to the session, unless it takes part already. `hasLoggedIn`: whether the user logged in for it just now. */
  join({ clients, withoutLogin }: Session, clientId: string, hasLoggedIn = true): void {
    if (!clients.has(clientId)) clients.set(clientId, this.clock.now());
    if (hasLoggedIn) withoutLogin.delete(clientId);
    else withoutLogin.add(clientId);
  }

  /** Removes a client from the session, which invalidates its tokens but no others. They stay invalid if it joins again. */
  leave({ clients, withoutLogin }: Session, clientId: string): void {
    clients.delete(clientId);
    withoutLogin.delete(clientId);
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

  /** Revokes one token by its `jti`. Tokens that it was exchanged for stay valid. */
  revoke(tokenId: string): void {
    this.revokedIds.add(tokenId);
  }

  isRevoked(tokenId: string): boolean {
    return this.revokedIds.has(tokenId);
  }
}

const newKey = (bytes: number): string => randomBytes(bytes).toString('base64url');
