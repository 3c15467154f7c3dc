import { deepEqual, equal, ok } from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Browser } from '../../libs/keycloak-test-servers/contract/browser.js';
import { login, logout, replyFrom, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import { callbackOf } from '../support/login-at.js';
import type { Replica } from '../support/replicated-services.js';
import { OK, underSteadyLoad } from '../support/steady-load.js';
import { until } from '../support/until.js';
import { isLoggedOut, outcomeOf, sendOne, visit, type Session } from './load.js';
import { TTL_SECONDS, type MixedReplicas, type Subject } from './mixed-replicas.js';

const EACH = 3;
const PER_SECOND = 10;
const POLL_MS = 200;
/** Longer than the short TTL, which bounds each window if a replica misses an event or reads no proof. */
const LONG_MS = TTL_SECONDS * 1000 + 2000;
const UNREADABLE = 'Refused content of the revocation channel';

/** Whether replicas of one kind use what replicas of the other kind have stored. */
export type Shares = (what: 'sessions' | 'results' | 'proofs', one: string, other: string) => boolean;

/** Checks that replicas of two kinds share what the documentation promises, and misread nothing. */
export class StageChecks {
  readonly denied: Subject[] = [];
  readonly sessions: Session[] = [];
  readonly counts = { denials: 0, revocations: 0, sessions: 0, results: 0, proofs: 0, longestAcceptedMs: 0 };

  constructor(
    private readonly all: MixedReplicas,
    private readonly shares: Shares,
  ) {}

  async underLoad(change: () => Promise<void>): Promise<string> {
    const alice = textOf(await login(this.all.keycloak, 'alice'));
    this.all.services.scanner.addToken(alice);
    const isKept = (session: Session) => this.all.services.of('service-a').every((one) => this.#has(one, session));
    const send = (number: number) =>
      sendOne(number, { all: this.all, alice, denied: this.denied, sessions: this.sessions, isKept });
    const { made, failures } = await underSteadyLoad({ perSecond: PER_SECOND, send }, change);
    deepEqual(failures, []);
    return JSON.stringify({ requests: made, ...this.counts });
  }

  async run(): Promise<void> {
    await this.#denials();
    await this.#lostDenials();
    await Promise.all([this.#sessions(), this.#results(), this.#proofs(), this.#revocations()]);
    const { replicas, pollers } = this.all.services;
    for (const { name, process } of [...replicas, ...pollers])
      ok(!process.printed().includes(UNREADABLE), `${name} refused an entry or proof`);
  }

  /** A notice for a session that continues at Keycloak, so only the shared denial makes a service refuse. */
  async #denials(): Promise<void> {
    const { services, server } = this.all;
    for (const denier of services.of('service-a')) {
      const subjects = await Promise.all(Array.from({ length: EACH }, () => this.all.accepted()));
      for (const subject of subjects) {
        const body = new URLSearchParams({ logout_token: await server.control.logoutToken('service-a', subject) });
        const { status } = await replyFrom(`${denier.url}/auth/backchannel-logout`, { method: 'POST', body });
        equal(status, 200);
        await this.#untilRefused(subject, 'revoked');
      }
      this.counts.denials += EACH;
      this.denied.push(...subjects);
    }
  }

  async #lostDenials(): Promise<void> {
    for (const subject of this.denied)
      await Promise.all(
        this.all.services.replicas.map(async (replica) => {
          const { status, members } = await this.all.verdict(replica, subject);
          deepEqual([replica.name, status, members['reason']], [replica.name, 401, 'revoked']);
        }),
      );
  }

  async #sessions(): Promise<void> {
    const replicas = this.all.services.of('service-a');
    for (const [at, replica] of replicas.entries()) {
      const home = replicas[(at + 1) % replicas.length] ?? replica;
      // On a busy machine, Keycloak may answer too late for a login.
      await until(() => this.#logIn(replica, home), `a user who began at ${replica.name} is logged in`);
    }
    for (const session of this.sessions)
      for (const replica of replicas)
        for (const path of ['/', '/run-service-b']) {
          const answer = await visit(this.all, replica.url, path, session);
          if (this.#has(replica, session)) equal(outcomeOf(answer, session.username), OK);
          else ok(isLoggedOut(answer), JSON.stringify(answer));
          this.counts.sessions += 1;
        }
  }

  async #logIn(replica: Replica, home: Replica): Promise<boolean> {
    const username = await this.all.keycloak.newUser('order-manager');
    const browser = new Browser();
    const callback = await callbackOf(replica.url, browser, username);
    if (callback === '') return false;
    browser.cookies.set(home.url, browser.cookies.get(replica.url) ?? new Map<string, string>());
    const { status } = await browser.send(callback.replace(replica.url, home.url));
    if (status !== 303) return false;
    const cookie = `session=${browser.cookie(home.url, 'session')}`;
    this.sessions.push({ username, cookie, kind: this.all.kindOf(home) });
    return true;
  }

  #has(replica: Replica, session: Session): boolean {
    return this.shares('sessions', session.kind, this.all.kindOf(replica));
  }

  async #results(): Promise<void> {
    const [first, second] = this.all.services.of('service-b');
    if (first === undefined || second === undefined) throw new Error('There is no replica');
    const isShared = this.shares('results', this.all.kindOf(first), this.all.kindOf(second));
    for (const replicas of [
      [first, second],
      [second, first],
    ])
      // On a busy machine, Valkey may answer too late, and then both replicas ask Keycloak.
      await until(async () => {
        const subject = await this.all.newSubject('alice');
        for (const replica of replicas) await this.all.admit(replica, subject);
        const asked = this.all.introspections(subject, 'service-b');
        ok(isShared || asked > 1, `${replicas.map(({ name }) => name).join(' and ')} share a result`);
        this.counts.results += 1;
        return asked === 1 || !isShared;
      }, 'the second replica uses the result of the first replica');
  }

  /** With a poller's proof, a replica reuses a result after the short TTL. */
  async #proofs(): Promise<void> {
    const [poller] = this.all.services.pollers;
    if (poller === undefined) throw new Error('There is no poller');
    await Promise.all(
      this.all.services.of('service-c').map(async (replica) => {
        const isShared = this.shares('proofs', this.all.kindOf(poller), this.all.kindOf(replica));
        const subject = await this.all.newSubject('alice');
        let [asked, sinceMs] = [0, Infinity];
        await until(
          async () => {
            await sleep(POLL_MS);
            const beganMs = performance.now();
            await this.all.admit(replica, subject);
            const [before, now] = [asked, this.all.introspections(subject, 'service-c')];
            const isLong = now === before && beganMs > sinceMs + LONG_MS;
            ok(isShared || !isLong, `${replica.name} reuses a result without a proof`);
            if (now !== before) [asked, sinceMs] = [now, performance.now()];
            return isShared ? isLong : before > 0 && now > before;
          },
          `${replica.name} ${isShared ? 'reuses' : 'renews'} the result`,
        );
        this.counts.proofs += 1;
      }),
    );
  }

  /** A logout that no notice announces: the feed denies the session, or the short TTL ends. */
  async #revocations(): Promise<void> {
    const subjects = await Promise.all(Array.from({ length: EACH }, () => this.all.accepted()));
    await Promise.all(
      subjects.map(async (subject) => {
        equal((await logout(this.all.keycloak, subject.refreshToken)).status, 204);
        await this.#untilRefused(subject);
      }),
    );
    this.counts.revocations += EACH;
  }

  /** Measures until a request begins, since a replica on a busy machine may answer late. */
  async #untilRefused(subject: Subject, reason?: string): Promise<void> {
    const revokedMs = performance.now();
    let longestMs = 0;
    await Promise.all(
      this.all.services.replicas.map((replica) =>
        until(async () => {
          await sleep(POLL_MS);
          const acceptedMs = performance.now() - revokedMs;
          const { status, members } = await this.all.whoami(replica, subject);
          if (status === 200) longestMs = Math.max(longestMs, acceptedMs);
          return status === 401 && (reason ?? members['reason']) === members['reason'];
        }, `${replica.name} refuses a revoked token`),
      ),
    );
    ok(longestMs < LONG_MS, `A replica accepts a revoked token after ${longestMs} ms`);
    this.counts.longestAcceptedMs = Math.max(this.counts.longestAcceptedMs, Math.round(longestMs));
  }
}
