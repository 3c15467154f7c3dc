import { randomBytes } from 'node:crypto';
import type { AdjustableClock } from './adjustable-clock.js';
import { NO_LEVEL } from '../realm/authentication-levels.js';
import type { RealmUser } from '../realm/realm-representation.js';
import type { Realm } from '../realm/realm.js';

export type SessionNotes = Readonly<Record<string, string>>;

export interface Session {
  readonly sid: string;
  readonly user: RealmUser;
  readonly startedAt: number;
  lastSeenAt: number;
  authTime?: number;
  /** The time at which the user reached each level, in seconds since 1970. */
  readonly levels: Map<number, number>;
  readonly browserKey: string;
  /** The time at which each client joined the session, in seconds since 1970. */
  readonly clients: Map<string, number>;
  readonly arrivals: Map<string, Arrival>;
}

export interface Arrival {
  level: number;
  readonly isSso: boolean;
  readonly asked: readonly string[];
}

/** The default for a client that joined the session without a browser login. */
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

  find(sid: string): Session | undefined {
    const session = this.sessions.get(sid);
    return session !== undefined && this.secondsLeft(session) > 0 ? session : undefined;
  }

  secondsLeft(session: Session): number {
    const idleUntil = session.lastSeenAt + this.realm.settings.ssoSessionIdleTimeout;
    return Math.min(idleUntil, this.latestEnd(session)) - this.clock.now();
  }

  latestEnd({ startedAt }: Session): number {
    return startedAt + this.realm.settings.ssoSessionMaxLifespan;
  }

  touch(session: Session): void {
    session.lastSeenAt = this.clock.now();
  }

  join({ clients }: Session, clientId: string): void {
    if (!clients.has(clientId)) clients.set(clientId, this.clock.now());
  }

  leave({ clients, arrivals }: Session, clientId: string): void {
    clients.delete(clientId);
    arrivals.delete(clientId);
  }

  /** `acr` is the client's current level, even for a token that was issued at a different level. */
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

  /** As in Keycloak, a token exchange also removes the level from the client's earlier tokens. */
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

  revoke(tokenId: string): void {
    this.revokedIds.add(tokenId);
  }

  isRevoked(tokenId: string): boolean {
    return this.revokedIds.has(tokenId);
  }
}

const newKey = (bytes: number): string => randomBytes(bytes).toString('base64url');
