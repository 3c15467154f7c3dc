import { setTimeout as sleep } from 'node:timers/promises';
import { AuthorizationServerError, BearerError, type VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import type { Valkey } from '../../../libs/keycloak/spec-support/valkey.js';
import { LoginError } from '../../../apps/service-a/src/login/login-error.js';
import { SessionStoreError } from '../../../apps/service-a/src/login/session-store-error.js';
import type { KeycloakModel, KeycloakSession, KeycloakToken } from './keycloak-model.js';
import { Ledger, type Session } from './ledger.js';
import { ModelReplica } from './replica.js';
import { StoreFaults } from './store-faults.js';

const USERS = ['alice', 'bob', 'carol'];
const SKEWS_SECONDS = [0, 30, -30];
const SETTLES_WITHIN_MS = 15_000;
const RECENT = 4;

export class World {
  readonly ledger: Ledger;
  /** True after an older store was restored: a replica may then send a refresh token twice. */
  mayRepeat = false;
  readonly #replicas: readonly ModelReplica[];
  readonly #store: StoreFaults;

  constructor(
    private readonly keycloak: KeycloakModel,
    private readonly valkey: Valkey,
    keys: readonly string[],
    ttlSeconds: number,
    signalledTtlSeconds?: number,
  ) {
    this.#store = new StoreFaults(valkey);
    this.#replicas = SKEWS_SECONDS.map(
      (skewSeconds) =>
        new ModelReplica({ keycloak, valkeyUrl: valkey.url, keys, ttlSeconds, signalledTtlSeconds, skewSeconds }),
    );
    this.ledger = new Ledger(this.#replicas, ttlSeconds);
  }

  async start(): Promise<void> {
    await this.#store.begin();
    for (const replica of this.#replicas) await replica.start();
    for (const number of USERS.keys()) await this.login(number, number);
  }

  async stop(): Promise<void> {
    this.valkey.thaw();
    await Promise.all(this.#replicas.map((replica) => replica.stop()));
    this.#store.forget();
  }

  async ask(number: number, which: number): Promise<void> {
    await this.#verify(this.#replica(number), this.#token(which));
  }

  async exchange(number: number, which: number): Promise<void> {
    const replica = this.#replica(number);
    const token = this.#token(which);
    const verified = await this.#verify(replica, token);
    if (verified === undefined) return;
    const startedMs = performance.now();
    const issued = await replica.keycloak.tokenExchange
      .exchange(verified, { audience: 'service-b', scope: 'orders.approve' })
      .catch(expected(AuthorizationServerError, BearerError));
    if (issued === undefined) return;
    const { session } = this.keycloak.tokens.get(issued.reveal()) ?? {};
    if (session !== token.session) this.ledger.violated(`${token.jti} was exchanged for a token of ${session?.sub}`);
    if (this.ledger.isDeniedAt(replica, token, startedMs))
      this.ledger.violated(`${token.jti} was exchanged after it was denied there`);
  }

  async login(number: number, which: number): Promise<void> {
    const of = this.keycloak.newSession(USERS[which % USERS.length] ?? '');
    const { losses } = this.ledger;
    const id = await this.#begin(this.#replica(number), of);
    if (id !== undefined) this.ledger.addSession(id, of, { mayBeGone: losses !== this.ledger.losses });
  }

  async loginTooLate(number: number, which: number): Promise<void> {
    const of = this.keycloak.newSession(USERS[which % USERS.length] ?? '');
    const { losses } = this.ledger;
    const [id, isTaken] = await Promise.all([
      this.#begin(this.#replica(number), of),
      this.#notify(this.#replica(number + which), of),
    ]);
    if (id === undefined || !isTaken) return;
    // If the store loses the end mark, the login may still create the session.
    const mayBeBack = losses !== this.ledger.losses;
    this.ledger.addSession(id, of, { endedMs: performance.now(), mayBeGone: true, mayBeBack });
  }

  async use(number: number, which: number): Promise<void> {
    const session = this.#session(which);
    const startedMs = performance.now();
    const found = await this.#replica(number)
      .sessions.findFresh(session.id)
      .catch((error: unknown) => {
        session.mayBeGone = true;
        return expected(SessionStoreError, AuthorizationServerError)(error);
      });
    if (found === undefined) this.ledger.checkMissing(session);
    else this.ledger.checkFound(session, found.subject, startedMs);
  }

  async end(number: number, which: number): Promise<void> {
    const session = this.#session(which);
    session.mayBeGone = true;
    const isDone = await this.#replica(number)
      .sessions.end(session.id)
      .then(() => true, expected(SessionStoreError));
    if (isDone === true) session.endedMs ??= performance.now();
  }

  async logout(number: number, which: number): Promise<void> {
    const { of } = this.#session(which);
    const all = this.ledger.sessionsOf(of);
    for (const session of all) session.mayBeGone = true;
    if (await this.#notify(this.#replica(number), of)) for (const one of all) one.endedMs ??= performance.now();
  }

  endUnnoticed(_: number, which: number): void {
    this.keycloak.end(this.#session(which).of);
  }

  revoke(_: number, which: number): void {
    this.keycloak.revoke(this.#token(which));
  }

  deny(number: number, which: number): void {
    this.ledger.deny(this.#replica(number), this.#token(which).session.sid);
  }

  recheck(number: number, which: number): void {
    this.ledger.recheck(this.#replica(number), which % 4 === 0 ? 'everything' : this.#token(which).session.sid);
  }

  async freeze(_: number, which: number): Promise<void> {
    this.valkey.freeze();
    await sleep(which * 40);
    this.valkey.thaw();
  }

  async empty(): Promise<void> {
    this.ledger.storeLost();
    await this.#store.restart(undefined);
    this.ledger.storeLost();
  }

  async garble(_: number, which: number): Promise<void> {
    this.ledger.storeLost();
    this.ledger.storeSpoilt();
    await this.#store.garble(which);
    this.ledger.storeLost();
  }

  remember(): Promise<void> {
    return this.#store.remember();
  }

  async goBack(): Promise<void> {
    if (!this.#store.hasEarlier) return;
    this.mayRepeat = true;
    this.ledger.storeWentBack();
    await this.#store.restart('earlier');
    this.ledger.storeWentBack();
  }

  async restart(number: number, which: number): Promise<void> {
    const replica = this.#replica(number);
    await replica.stop(which % 2 === 0);
    this.ledger.ended(replica);
    await replica.start();
  }

  async settle(): Promise<void> {
    for (const [number, replica] of this.#replicas.entries()) this.ledger.deny(replica, `last-of-${number}`);
    const missing = (): string[] => this.#replicas.flatMap((replica) => this.ledger.missingAt(replica));
    for (const beganMs = performance.now(); missing().length > 0; await sleep(10)) {
      if (performance.now() - beganMs < SETTLES_WITHIN_MS) continue;
      const states = this.#replicas.map(({ keycloak }) => JSON.stringify(keycloak.status.read().revocationChannel));
      return this.ledger.violated(`denials of ${missing().join(', ')} are lost: ${states.join(' ')}`);
    }
    for (const replica of this.#replicas) {
      for (const token of this.keycloak.tokens.values())
        if ((await this.#verify(replica, token)) !== undefined) this.ledger.checkRechecks(token);
      for (const session of this.ledger.sessions) {
        const startedMs = performance.now();
        const found = await replica.sessions.find(session.id).catch(expected(SessionStoreError));
        if (found === undefined) this.ledger.checkMissing(session);
        else this.ledger.checkFound(session, found.subject, startedMs);
      }
    }
  }

  async #verify(replica: ModelReplica, token: KeycloakToken): Promise<VerifiedAccessToken | undefined> {
    const startedMs = performance.now();
    try {
      const verified = await replica.keycloak.verifier.verify(token.text);
      this.ledger.checkTaken(replica, token, verified, startedMs);
      return verified;
    } catch (error) {
      if (error instanceof BearerError) this.ledger.checkRefused(token, error);
      return expected(AuthorizationServerError, BearerError)(error);
    }
  }

  #begin(replica: ModelReplica, of: KeycloakSession): Promise<string | undefined> {
    return replica.sessions.begin(this.keycloak.login(of)).catch(expected(SessionStoreError, LoginError));
  }

  async #notify(replica: ModelReplica, of: KeycloakSession): Promise<boolean> {
    this.ledger.deny(replica, of.sid);
    const isTaken = await replica.sessions
      .endAtKeycloak({ sessionId: of.sid, subject: of.sub }, Math.floor(Date.now() / 1000))
      .then(() => true, expected(SessionStoreError));
    this.keycloak.end(of);
    return isTaken === true;
  }

  #replica(number: number): ModelReplica {
    return this.#replicas[number % this.#replicas.length] as ModelReplica;
  }

  #token(which: number): KeycloakToken {
    return recent(
      [...this.keycloak.tokens.values()].filter(({ isExchanged }) => !isExchanged),
      which,
    );
  }

  #session(which: number): Session {
    return recent(this.ledger.sessions, which);
  }
}

const recent = <T>(all: readonly T[], which: number): T => all.at(-1 - (which % Math.min(all.length, RECENT))) as T;

const expected =
  (...kinds: readonly (new (...args: never[]) => Error)[]) =>
  (error: unknown): undefined => {
    if (!kinds.some((kind) => error instanceof kind)) throw error;
  };
