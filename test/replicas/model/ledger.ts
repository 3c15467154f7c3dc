import type { BearerError, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { testAccessToken } from 'nestjs-keycloak-s2s/testing';
import { inactiveSinceMs, type KeycloakSession, type KeycloakToken } from './keycloak-model.js';
import type { ModelReplica } from './replica.js';

export interface Said {
  readonly sid: string | 'everything';
  readonly at: ModelReplica;
  readonly atMs: number;
  /** True if all replicas that may have received the denial or recheck have stopped. */
  isLost: boolean;
}

export interface Session {
  readonly id: string;
  readonly of: KeycloakSession;
  endedMs: number | undefined;
  mayBeGone: boolean;
  mayBeBack: boolean;
  /** The store has two entries about the end of a session, so only two faults can bring the session back. */
  timesSpoilt: number;
}

export class Ledger {
  readonly violations: string[] = [];
  readonly sessions: Session[] = [];
  readonly denials: Said[] = [];
  readonly rechecks: Said[] = [];
  losses = 0;

  constructor(
    private readonly replicas: readonly ModelReplica[],
    private readonly ttlSeconds: number,
  ) {}

  violated(what: string): void {
    this.violations.push(what);
  }

  deny(at: ModelReplica, sid: string): void {
    at.keycloak.revocations.deny({ sid });
    this.denials.push({ sid, at, atMs: performance.now(), isLost: false });
  }

  recheck(at: ModelReplica, sid: string | 'everything'): void {
    at.keycloak.revocations.recheck(sid === 'everything' ? sid : { sid });
    this.rechecks.push({ sid, at, atMs: performance.now(), isLost: false });
  }

  addSession(id: string, of: KeycloakSession, more: Partial<Session> = {}): void {
    this.sessions.push({ id, of, endedMs: undefined, mayBeGone: false, mayBeBack: false, timesSpoilt: 0, ...more });
  }

  sessionsOf(of: KeycloakSession): Session[] {
    return this.sessions.filter((session) => session.of === of);
  }

  storeLost(): void {
    this.losses += 1;
    for (const session of this.sessions) session.mayBeGone = true;
  }

  storeSpoilt(): void {
    for (const session of this.sessions) {
      session.timesSpoilt += 1;
      session.mayBeBack ||= session.timesSpoilt > 1;
    }
  }

  storeWentBack(): void {
    this.storeLost();
    for (const session of this.sessions) session.mayBeBack = true;
  }

  /** Records that a stopped replica may have lost running refreshes and their sessions. */
  ended(replica: ModelReplica): void {
    const others = this.replicas.filter((other) => other !== replica);
    for (const said of this.denials) said.isLost ||= !others.some((other) => refuses(other, said.sid));
    for (const said of this.rechecks) said.isLost ||= said.at === replica;
    for (const session of this.sessions) session.mayBeGone = true;
  }

  checkFound({ of, endedMs, mayBeBack }: Session, subject: string, startedMs: number): void {
    if (subject !== of.sub) this.violated(`a session of ${of.sub} is one of ${subject}`);
    if (endedMs !== undefined && startedMs > endedMs && !mayBeBack) this.violated(`the session ${of.sid} is back`);
  }

  checkMissing({ of, endedMs, mayBeGone }: Session): void {
    if (of.endedMs === undefined && endedMs === undefined && !mayBeGone)
      this.violated(`the session ${of.sid} is gone, which nobody ended`);
  }

  checkTaken(replica: ModelReplica, token: KeycloakToken, verified: VerifiedAccessToken, startedMs: number): void {
    const { jti, session } = token;
    if (verified.subject !== session.sub) this.violated(`${jti} of ${session.sub} is taken for ${verified.subject}`);
    if (this.isDeniedAt(replica, token, startedMs)) this.violated(`${jti} is taken where it was denied`);
    const inactiveMs = inactiveSinceMs(token);
    if (inactiveMs === undefined) return;
    if (startedMs > inactiveMs + this.ttlSeconds * 1000) this.violated(`${jti} is taken after its window`);
    const isRechecked = this.rechecks.some(
      (said) => said.atMs > inactiveMs && isAbout(said, token) && isKnownBefore(said, replica, startedMs),
    );
    if (isRechecked) this.violated(`${jti} is taken after a recheck there`);
  }

  checkRefused(token: KeycloakToken, { reason }: BearerError): void {
    const isDenied = this.denials.some((said) => isAbout(said, token));
    if (inactiveSinceMs(token) === undefined && !isDenied)
      this.violated(`${token.jti} is refused (${reason}), and nobody ended it`);
  }

  isDeniedAt(replica: ModelReplica, token: KeycloakToken, beforeMs: number): boolean {
    return this.denials.some((said) => isAbout(said, token) && isKnownBefore(said, replica, beforeMs));
  }

  missingAt(replica: ModelReplica): string[] {
    return this.denials.flatMap(({ isLost, sid }) => (isLost || refuses(replica, sid) ? [] : [sid]));
  }

  checkRechecks(token: KeycloakToken): void {
    const inactiveMs = inactiveSinceMs(token) ?? Infinity;
    const isRechecked = this.rechecks.some((said) => !said.isLost && said.atMs > inactiveMs && isAbout(said, token));
    if (isRechecked) this.violated(`${token.jti} is taken, whatever was rechecked`);
  }
}

const refuses = ({ keycloak }: ModelReplica, sid: string): boolean =>
  keycloak.revocations.denies(testAccessToken({ claims: { sid } }));

const isAbout = ({ sid }: Said, { session }: KeycloakToken): boolean => sid === 'everything' || sid === session.sid;

const isKnownBefore = ({ at, atMs }: Said, replica: ModelReplica, beforeMs: number): boolean =>
  at === replica && atMs >= replica.startedMs && atMs < beforeMs;
