import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startKeycloak, testServer, type RunningKeycloak } from 'keycloak-test-servers';
import { clientCredentials, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import { REALM_ENVIRONMENT, REALM_FILE } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { describeOnKeycloak } from '../../libs/keycloak-test-servers/contract/describe-servers.js';
import { RunningServices, ttl } from '../support/running-services.js';

const TTL_SECONDS = 10;
/** The tests ignore answers within this time of the end of the ttl, because requests take some time. */
const MARGIN_MS = 1000;
const RECOVERED_WITHIN_MS = 2000;

const { kind } = testServer();
const using = kind === 'docker' || kind === 'distribution' ? { using: kind } : {};
const start = (port?: number): Promise<RunningKeycloak> =>
  startKeycloak({
    realm: REALM_FILE,
    environment: REALM_ENVIRONMENT,
    ...using,
    ...(port === undefined ? {} : { port }),
  });

interface Seen {
  readonly path: string;
  readonly atMs: number;
  readonly status: number;
}

let keycloak: RunningKeycloak;
let chain: RunningServices;
class Load {
  readonly seen: Seen[] = [];
  readonly #ended = new AbortController();
  readonly #paths: string[] = [];
  readonly #senders: Promise<void>[] = [];

  add(url: string, headers: Readonly<Record<string, string>> = {}): this {
    const { pathname: path } = new URL(url);
    this.#paths.push(path);
    this.#senders.push(
      (async () => {
        for (; !this.#ended.signal.aborted; await sleep(25)) {
          const atMs = performance.now();
          const { status } = await fetch(url, { headers });
          this.seen.push({ path, atMs, status });
        }
      })(),
    );
    return this;
  }

  async until(afterMs: number, answers: number): Promise<void> {
    const answersOf = (wanted: string): number =>
      this.seen.filter(({ path, atMs }) => path === wanted && atMs > afterMs).length;
    const isEnough = (): boolean => this.#paths.every((path) => answersOf(path) >= answers);
    while (!isEnough() && performance.now() < afterMs + 30_000) await sleep(50);
  }

  async end(): Promise<readonly Seen[]> {
    this.#ended.abort();
    await Promise.all(this.#senders);
    return this.seen;
  }
}

async function warmChain(): Promise<{ token: string; inTimeUntilMs: number }> {
  chain = await RunningServices.start({ server: keycloak, direct: true, variables: ttl(TTL_SECONDS) });
  const token = textOf(await clientCredentials(keycloak, 'service-a', 'orders.approve'));
  const inTimeUntilMs = performance.now() + TTL_SECONDS * 1000 - MARGIN_MS;
  for (const response of [await asService(), await known(token)]) expect(response.status).toBe(200);
  return { token, inTimeUntilMs };
}

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
const asService = (): Promise<Response> => fetch(`${chain.a.url}/run-service-b`);
const known = (token: string): Promise<Response> => fetch(`${chain.b.url}/api/whoami`, { headers: bearer(token) });

const loadOf = (token: string): Load =>
  new Load()
    .add(`${chain.a.url}/run-service-b`)
    .add(`${chain.b.url}/api/whoami`, bearer(token))
    .add(`${chain.b.url}/health/live`);

const statusesOf = (seen: readonly Seen[], path?: string): number[] => [
  ...new Set(seen.filter((one) => path === undefined || one.path === path).map(({ status }) => status)),
];

describeOnKeycloak('Keycloak under load', () => {
  beforeAll(async () => {
    keycloak = await start();
  });
  afterAll(() => keycloak.stop());

  it('is killed and restarted: services answer 200 within the ttl, then 503, and later recover (RS-14, CC-09, CC-05)', async () => {
    const { token, inTimeUntilMs } = await warmChain();
    const load = loadOf(token);
    try {
      await sleep(500);
      await keycloak.kill();
      keycloak = await start(Number(new URL(keycloak.baseUrl).port));
      const wellFromMs = performance.now() + RECOVERED_WITHIN_MS;
      await load.until(wellFromMs, 20);
      const seen = await load.end();
      const inTime = seen.filter(({ atMs }) => atMs < inTimeUntilMs);
      expect(inTime.length).toBeGreaterThan(100);
      expect(statusesOf(inTime)).toEqual([200]);
      // The restarted Keycloak has new keys, so the former token is inactive.
      const afterwards = seen.filter(({ atMs }) => atMs > wellFromMs);
      expect(statusesOf(afterwards, '/run-service-b')).toEqual([200]);
      expect(statusesOf(afterwards, '/api/whoami')).toEqual([401]);
      // Keycloak was away for longer than the ttl, so some requests got 503.
      expect(statusesOf(seen, '/api/whoami').toSorted()).toEqual([200, 401, 503]);
      expect(statusesOf(seen, '/health/live')).toEqual([200]);
    } finally {
      await load.end();
      await chain.stop();
    }
  });

  it('shuts down: services answer 200 within the ttl, then 503, and never 401 (RS-14)', async () => {
    const { token, inTimeUntilMs } = await warmChain();
    const load = loadOf(token);
    try {
      await keycloak.stop();
      // A slow shutdown may answer until now, so the last result is at most this old.
      await sleep(TTL_SECONDS * 1000 + MARGIN_MS);
      const endedMs = performance.now();
      await sleep(500);
      const seen = await load.end();
      expect(statusesOf(seen.filter(({ atMs }) => atMs < inTimeUntilMs))).toEqual([200]);
      const afterwards = seen.filter(({ atMs }) => atMs > endedMs);
      expect(statusesOf(afterwards, '/run-service-b')).not.toContain(200);
      expect(statusesOf(afterwards, '/api/whoami')).toEqual([503]);
      expect(statusesOf(seen, '/health/live')).toEqual([200]);
    } finally {
      await load.end();
      await chain.stop();
    }
  });
});
