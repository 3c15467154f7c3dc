import { setTimeout as sleep } from 'node:timers/promises';
import { Browser, type Page } from '../../libs/keycloak-test-servers/contract/browser.js';
import type { Random } from './random.js';
import { type Sent } from './requests.js';
import type { Run } from './run.js';
import type { Credential } from './verdicts.js';

/** Access tokens last longer than these sessions, so Service A refreshes no session. */
const SESSION_MS = [2000, 12_000] as const;
const PAUSE_MS = [50, 250] as const;
const AFTERWARDS_MS = 3000;
const TRY_AGAIN_MS = 250;

export class SessionUser {
  constructor(
    private readonly run: Run,
    private readonly username: string,
    private readonly subject: string,
    private readonly random: Random,
  ) {}

  async call(): Promise<void> {
    while (!this.run.isOver) {
      const browser = new Browser();
      const credential = await this.#logIn(browser);
      if (credential === undefined) {
        await sleep(TRY_AGAIN_MS);
        continue;
      }
      await this.#useFor(this.random.between(...SESSION_MS), browser, credential);
      if (credential.deadMs === undefined && !this.run.isOver) await this.#end(browser, credential);
      await this.#useFor(AFTERWARDS_MS, browser, credential);
      // If the start page failed, the browser sent no logout, so the session may continue.
      const hasEnded = credential.endingMs !== undefined || credential.deadMs !== undefined;
      if (hasEnded) this.run.ended.push({ credential, sent: this.#request(browser) });
    }
  }

  async #logIn(browser: Browser): Promise<Credential | undefined> {
    const { run, username } = this;
    const startedMs = performance.now();
    const came = await this.#withBrowser(async () => {
      const form = await browser.open(`${run.publicUrl}/auth/login`);
      return form.status === 200
        ? browser.open((await browser.submitLogin(form, username)).headers.get('location') ?? '')
        : form;
    });
    const endedMs = performance.now();
    const isLoggedIn = browser.cookie(run.publicUrl, 'session') !== undefined;
    run.count(`login: ${isLoggedIn ? 'done' : came}`);
    if (isLoggedIn) return { kind: 'session', username, sinceMs: startedMs };
    if (came === '500') run.report('an internal error', username, { login: came, startedMs, endedMs }, {});
    await run.untilStallsAreKnown();
    if (!run.history.hindersLogins(startedMs, endedMs)) {
      run.report('a login failed, which no fault excuses', username, { login: came, startedMs, endedMs }, {});
    }
    return undefined;
  }

  async #useFor(ms: number, browser: Browser, credential: Credential): Promise<void> {
    const endMs = performance.now() + ms;
    const wasDead = credential.deadMs !== undefined || credential.endingMs !== undefined;
    while (!this.run.isOver && performance.now() < endMs) {
      await this.run.send(this.username, this.#request(browser), credential);
      if (!wasDead && credential.deadMs !== undefined) return;
      await sleep(this.random.between(...PAUSE_MS));
    }
  }

  #request(browser: Browser): Sent {
    const cookie = `session=${this.#cookies.get(browser) ?? this.#remember(browser)}`;
    const page = this.random.chance(0.6);
    const path = page && this.random.chance(0.6) ? '/' : '/run-service-b';
    return { url: this.run.publicUrl + path, headers: { cookie }, page };
  }

  /** Keeps each browser's session cookie, because a logout clears the cookie in the browser. */
  readonly #cookies = new WeakMap<Browser, string>();

  #remember(browser: Browser): string {
    const id = browser.cookie(this.run.publicUrl, 'session') ?? '';
    this.#cookies.set(browser, id);
    return id;
  }

  async #end(browser: Browser, credential: Credential): Promise<void> {
    if (this.random.chance(0.5)) await this.#logOut(browser, credential);
    else await endAtKeycloak(this.run, this.username, this.subject, credential);
  }

  async #logOut(browser: Browser, credential: Credential): Promise<void> {
    const { run } = this;
    const came = await this.#withBrowser(async () => {
      const home = await browser.send(run.publicUrl);
      const csrf_token = /name="csrf_token" value="([^"]+)"/.exec(home.text)?.[1];
      if (csrf_token === undefined) return home;
      credential.endingMs = performance.now();
      return browser.send(`${run.publicUrl}/auth/logout`, {
        method: 'POST',
        headers: { 'sec-fetch-site': 'same-origin' },
        form: { csrf_token },
      });
    });
    run.count(`logout: ${came}`);
    if (came === '303' && credential.endingMs !== undefined) credential.loggedOutMs = performance.now();
  }

  async #withBrowser(action: () => Promise<Page>): Promise<string> {
    return action().then(
      ({ status }) => String(status),
      (error: Error) => (error.message === 'fetch failed' ? 'no answer' : error.message.slice(0, 60)),
    );
  }
}

export async function endAtKeycloak(
  run: Run,
  username: string,
  subject: string,
  credential: Credential,
): Promise<void> {
  const beganMs = performance.now();
  credential.endingMs = beganMs;
  await run.keycloak.logOutUser(username);
  credential.endedAtKeycloakMs = performance.now();
  const takenMs = run.notices.takenSince(subject, beganMs);
  if (takenMs !== undefined) credential.deniedMs = takenMs;
  run.count(`logout at Keycloak: ${takenMs === undefined ? 'no notice was taken' : 'its notice was taken'}`);
}
