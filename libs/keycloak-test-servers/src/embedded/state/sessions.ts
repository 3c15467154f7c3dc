/** Sessions: the logged-in users, and the tokens that were revoked before they expired. */
import { randomBytes } from 'node:crypto';
import type { AdjustableClock } from './adjustable-clock.js';
import { NO_LEVEL } from '../realm/authentication-levels.js';
import type { RealmUser } from '../realm/realm-representation.js';
import type { Realm } from '../realm/realm.js';

/** Keycloak's notes about a session, such as the address of a service account. */
export type SessionNotes = Readonly<Record<string, string>>;

export interface Session {
  /** The `sid` of its tokens. */
  readonly sid: string;
  readonly user: RealmUser;
  readonly startedAt: number;
  lastSeenAt: number;
  /** When the user last entered the password in a browser, in seconds; undefined for the password grant. */
  authTime?: number;
  /** When the user last reached each level of authentication, in seconds. */
  readonly levels: Map<number, number>;
  /** The secret that the browser's cookie contains beside `sid`. */
  readonly browserKey: string;
  /** The clients that take part in the session, each with the second in which it joined. */
  readonly clients: Map<string, number>;
  /** How the user last came to each of them by a browser. */
  readonly arrivals: Map<string, Arrival>;
}

export interface Arrival {
  /** The level of authentication, or `NO_LEVEL`. */
  level: number;
  /** Whether the session sufficed, so that the user was asked for nothing. */
  readonly isSso: boolean;
  /** The `acr` values that the client asked for. */
  readonly asked: readonly string[];
}

/** Of a client that has no part in the session, and of the password grant. */
const NO_ARRIVAL: Arrival = { level: NO_LEVEL, isSso: false, asked: [] };

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
      levels: new Map<number, number>(),
      clients: new Map<string, number>(),
      arrivals: new Map<string, Arrival>(),
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

  /** Adds a client to the session, unless it takes part already. */
  join({ clients }: Session, clientId: string): void {
    if (!clients.has(clientId)) clients.set(clientId, this.clock.now());
  }

  /** Removes a client from the session, which invalidates its tokens but no others. They stay invalid if it joins again. */
  leave({ clients, arrivals }: Session, clientId: string): void {
    clients.delete(clientId);
    arrivals.delete(clientId);
  }

  /** The session notes that mappers can read; `acr` is that of the client's part in the session, now, whenever the token was issued. */
  notesOf(session: Session | undefined, clientId: string): SessionNotes {
    if (session === undefined) return {};
    const { level, isSso, asked } = session.arrivals.get(clientId) ?? NO_ARRIVAL;
    const reached = level === NO_LEVEL ? Number(!isSso) : level;
    const { authTime } = session;
    return {
      acr: this.realm.levels.nameOf(reached, asked),
      ...(authTime === undefined ? {} : { AUTH_TIME: String(authTime) }),
    };
  }

  /** A token exchange by the client itself: Keycloak forgets at which level the user came to it, for tokens issued before, too. */
  forgetLevel({ arrivals }: Session, clientId: string): void {
    const arrival = arrivals.get(clientId);
    if (arrival !== undefined) arrival.level = NO_LEVEL;
  }

  end(sid: string): void {
    this.sessions.delete(sid);
  }

  endAllOf(user: RealmUser): void {
    for (const { sid } of this.allOf(user)) this.end(sid);
  }

  endAll(): void {
    this.sessions.clear();
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
