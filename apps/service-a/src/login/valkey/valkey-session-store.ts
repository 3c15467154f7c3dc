import { Logger } from '@nestjs/common';
import {
  serviceKeyPrefix,
  ServerClock,
  ValkeyError,
  type ValkeyClient,
  type ValkeyScript,
} from 'nestjs-keycloak-s2s/valkey';
import type { EndedSession } from '../ended-sessions.js';
import { SessionRechecks } from '../session-rechecks.js';
import { SessionStoreError } from '../session-store-error.js';
import { rememberedMs, type SessionStore, type StoreBounds } from '../session-store.js';
import type { UserSession } from '../user-session.js';
import { PendingEnds } from './pending-ends.js';
import { beginningOf, type SealedSessions } from './sealed-sessions.js';
import { ADD, CHANGE, DELETE, END, FIND, REPLACE, TAKE } from './session-scripts.js';

const MAX_ATTEMPTS = 50;

/** If Valkey's clock goes back by less than this time, the service logs nothing. */
const MIN_STEP_MS = 10_000;

type Arguments = readonly (string | number)[];

export interface SessionOwner {
  readonly issuer: string;
  readonly clientId: string;
}

/** All keys begin with `serviceKeyPrefix`, so services, realms and applications can share the database. */
export class ValkeySessionStore implements SessionStore {
  readonly isShared = true;
  readonly clock = new ServerClock();
  readonly #logger = new Logger('SessionStore');
  readonly #rechecks = new SessionRechecks(() => this.clock.nowMs());
  readonly #prefix: string;
  readonly #all: string;
  readonly #recheck: string;
  readonly #pendingEnds = new PendingEnds(({ keys, args }) => this.#ask(END, keys, args), this.#logger);
  #isAway = false;
  #wentBack = false;
  #isUnreadableLogged = false;

  constructor(
    private readonly valkey: ValkeyClient,
    private readonly sealed: SealedSessions,
    private readonly bounds: StoreBounds,
    owner: SessionOwner,
  ) {
    this.#prefix = serviceKeyPrefix(owner);
    this.#all = `${this.#prefix}sessions`;
    this.#recheck = `${this.#prefix}recheck`;
  }

  async add(key: string, session: UserSession, issuedAt: number): Promise<boolean> {
    const { subject, sessionId } = session;
    const [own, ...others] = this.#named('by-subject', subject);
    const [ofSession] = sessionId === undefined ? [own] : this.#named('by-sid', sessionId);
    const marks = sessionId === undefined ? [] : this.#named('ended-sid', sessionId);
    const keys = [
      this.#nameOf(key),
      this.#all,
      own,
      ofSession,
      ...others,
      ...marks,
      ...this.#named('ended-subject', subject),
    ];
    const { maxSessions, maxSessionsPerUser, sessionIdleSeconds } = this.bounds;
    const args = [
      this.sealed.write(key, session),
      this.#msToLive(session),
      maxSessionsPerUser,
      maxSessions,
      sessionIdleSeconds * 1000,
      issuedAt,
      others.length,
      marks.length,
    ];
    return (await this.#run(ADD, keys, args)) === 1;
  }

  async update(
    key: string,
    change: (session: UserSession) => UserSession | undefined,
  ): Promise<UserSession | undefined> {
    const names = [this.#nameOf(key), this.#all];
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const sealed = await this.#find(key);
      if (sealed === undefined) return undefined;
      const session = this.sealed.read(key, sealed);
      if (session === undefined) return this.#unreadable();
      const changed = change(session);
      if (changed === session) return session;
      const before = beginningOf(sealed);
      const isDone =
        changed === undefined
          ? await this.#run(DELETE, names, [before])
          : await this.#run(CHANGE, names, [before, this.sealed.write(key, changed), this.#msToLive(changed)]);
      if (isDone === 1) return changed;
    }
    throw new SessionStoreError('changed_all_the_time');
  }

  async delete(key: string): Promise<void> {
    await this.#run(DELETE, [this.#nameOf(key), this.#all], ['']);
  }

  async end({ sessionId, subject }: EndedSession, issuedAt: number): Promise<void> {
    if (sessionId === undefined && subject === undefined) return;
    const [kind, value] = sessionId === undefined ? ['subject', subject ?? ''] : ['sid', sessionId];
    const marks = this.#named(`ended-${kind}`, value);
    const keys = [this.#all, ...marks, ...this.#named(`by-${kind}`, value)];
    const end = { keys, args: [issuedAt, rememberedMs(this.bounds), marks.length] };
    try {
      await this.#ask(END, end.keys, end.args);
    } catch (error) {
      this.#pendingEnds.add(marks[0], end);
      throw error;
    }
  }

  /** This replica rechecks immediately, and the other replicas recheck when the store is reachable. */
  async requireRecheck(): Promise<void> {
    try {
      await this.#find('');
    } finally {
      this.#rechecks.require();
    }
    await this.#find('');
  }

  needsRecheck(askedAtMs: number): boolean {
    return this.#rechecks.areDueSince(askedAtMs);
  }

  async takeLogin(state: string, ttlSeconds: number): Promise<boolean> {
    const [isTaken, nowMs] = (await this.#run(TAKE, this.#named('login', state), [ttlSeconds * 1000])) as [
      number,
      number,
    ];
    this.#learn(nowMs);
    return isTaken === 1;
  }

  async close(): Promise<void> {
    this.#pendingEnds.close();
    await this.valkey.close();
  }

  /** Valkey's answer also contains the rechecks that other replicas require. */
  async #find(key: string): Promise<string | undefined> {
    const answer = await this.#run(FIND, [this.#nameOf(key), this.#recheck], []);
    const [sealed, recheck, nowMs] = answer as readonly [string | null, string | null, number];
    this.#learn(nowMs);
    const theirs = recheck === null ? undefined : this.sealed.readRecheck(recheck);
    if (theirs !== undefined) this.#rechecks.learn(theirs);
    const ours = this.#rechecks.times;
    if (ours !== undefined && ours.lastMs > (theirs?.lastMs ?? -Infinity)) {
      const isUnreadable = theirs === undefined && recheck !== null;
      const args = [isUnreadable ? 1 : 0, recheck ?? '', this.sealed.writeRecheck(ours), rememberedMs(this.bounds)];
      // If Valkey does not store the rechecks now, the next call to `#find` tries to store the rechecks again.
      await this.#run(REPLACE, [this.#recheck], args).catch(() => undefined);
    }
    return sealed ?? undefined;
  }

  /** Logs this once, since anyone who can write to Valkey can cause it. */
  #unreadable(): undefined {
    if (this.#isUnreadableLogged) return;
    this.#isUnreadableLogged = true;
    const hint =
      'Give all replicas the same SHARED_STATE_KEYS and the same version. Keep an old key as long as a session may last.';
    this.#logger.error("A session can't be decrypted, so its user must log in again", { hint });
  }

  /** If Valkey's clock was set back, sessions count as too old, and new sessions may count as ended. */
  #learn(nowMs: number): void {
    this.clock.learn(nowMs);
    const { behindMs } = this.clock;
    const wentBack = behindMs >= MIN_STEP_MS;
    if (wentBack && !this.#wentBack) {
      const words =
        'The clock of the session store went back. Until it is an hour past its former time, sessions count as older than they are';
      const hint = 'Empty the session store, then restart all replicas: everybody logs in again.';
      this.#logger.error(words, { seconds: Math.round(behindMs / 1000), hint });
    }
    this.#wentBack = wentBack;
  }

  #msToLive({ startedAtMs, usedAtMs }: UserSession): number {
    const { sessionIdleSeconds, sessionMaxSeconds } = this.bounds;
    const endsAtMs = Math.min(usedAtMs + sessionIdleSeconds * 1000, startedAtMs + sessionMaxSeconds * 1000);
    return Math.max(1, Math.ceil(endsAtMs - this.clock.nowMs()));
  }

  #nameOf(key: string): string {
    return `${this.#prefix}session:${key}`;
  }

  #named(kind: string, value: string): readonly [first: string, ...others: string[]] {
    const [first, ...others] = this.sealed.names(kind, value);
    const name = (one: string): string => `${this.#prefix}${kind}:${one}`;
    return [name(first), ...others.map(name)];
  }

  async #run(script: ValkeyScript, keys: readonly string[], args: Arguments): Promise<unknown> {
    await this.#pendingEnds.send();
    return this.#ask(script, keys, args);
  }

  async #ask(script: ValkeyScript, keys: readonly string[], args: Arguments): Promise<unknown> {
    try {
      const answer = await this.valkey.run(script, keys, args.map(String));
      if (this.#isAway) this.#logger.log('Session store available again');
      this.#isAway = false;
      return answer;
    } catch (error) {
      const { message, hint } = error instanceof ValkeyError ? error : new ValkeyError('unknown');
      const failure = new SessionStoreError(message, hint);
      if (!this.#isAway)
        this.#logger.error('Session store unavailable. Requests with a session get 503', failure.fields);
      this.#isAway = true;
      throw failure;
    }
  }
}
