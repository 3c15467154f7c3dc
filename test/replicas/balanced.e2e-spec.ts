import { Agent, request, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Browser } from '../../libs/keycloak-test-servers/contract/browser.js';
import { publicUrl } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { login, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import { connectToKeycloak, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { logInAt } from '../support/login-at.js';
import { canReplicate, ReplicatedServices, type Replica } from '../support/replicated-services.js';
import { OK, underSteadyLoad, type LoadSeen } from '../support/steady-load.js';

/** `npm run verify:long` replaces one process at a time; other commands replace three processes at once. */
const isLong = process.env['ROLLING_RESTART'] === 'long';
const { perSecond, sessions, least } = isLong
  ? { perSecond: 200, sessions: 50, least: 10_000 }
  : { perSecond: 50, sessions: 10, least: 500 };

const REPLICAS = 3;
const SERVICES = ['service-a', 'service-b', 'service-c'];
const CONNECTIONS = 20;
const PROCESSED = 'Order 9876 processed';

interface LoggedIn {
  readonly username: string;
  readonly browser: Browser;
}

const describeWithReplicas = canReplicate ? describe : describe.skip;

describeWithReplicas('three replicas of each service', () => {
  let keycloak: ContractServer;
  let services: ReplicatedServices;
  let token: string;
  const loggedIn: LoggedIn[] = [];
  const kept = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });

  beforeAll(async () => {
    services = await ReplicatedServices.start({
      replicas: REPLICAS,
      // On a busy machine, HAProxy notices a failed check later, and Keycloak answers later.
      variables: { PUBLIC_URL: publicUrl, SHUTDOWN_DELAY_SECONDS: '5', KEYCLOAK_TIMEOUT_MS: '4500' },
    });
    keycloak = await connectToKeycloak();
    token = textOf(await login(keycloak, 'alice'));
    services.scanner.addToken(token);
    for (let count = 0; count < sessions; count += 1) {
      const username = await keycloak.newUser('order-manager');
      const browser = new Browser();
      await logInAt(services.urlOf('service-a'), browser, username);
      loggedIn.push({ username, browser });
    }
  });
  afterAll(async () => {
    kept.destroy();
    await services.stop();
    await keycloak.stop();
  });

  async function ask(path: string, words: string, agent: Agent | false, headers = {}): Promise<string> {
    const sent = request(services.urlOf('service-a') + path, { agent, headers }).end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const body = (await response.setEncoding('utf8').toArray()).join('');
    const isRight = response.statusCode === 200 && body.includes(words) && !('set-cookie' in response.headers);
    return isRight ? OK : `${response.statusCode} ${body}`;
  }

  const runAsAlice = (agent: Agent | false): Promise<string> =>
    ask('/run-service-b', PROCESSED, agent, { Authorization: `Bearer ${token}` });
  const runAsServiceA = (agent: Agent | false): Promise<string> => ask('/run-service-b', PROCESSED, agent);

  function cookieOf({ browser }: LoggedIn): Record<string, string> {
    const url = services.urlOf('service-a');
    return { cookie: `session=${browser.cookie(url, 'session')}` };
  }

  const homeOf = (user: LoggedIn): Promise<string> =>
    ask('/', `Logged in as <strong>${user.username}</strong>`, kept, cookieOf(user));

  function send(number: number): Promise<string> {
    const agent = number % 8 < 4 && kept;
    if (number % 4 === 0) return runAsAlice(agent);
    if (number % 4 === 1) return runAsServiceA(agent);
    const user = loggedIn[Math.floor(number / 4) % loggedIn.length];
    if (user === undefined) throw new Error('Nobody is logged in');
    return number % 4 === 2 ? homeOf(user) : ask('/run-service-b', PROCESSED, agent, cookieOf(user));
  }

  const underLoad = (change: () => Promise<void>, atLeast = 0): Promise<LoadSeen> =>
    underSteadyLoad({ perSecond, least: atLeast, send }, change);

  it('receive equal shares of the requests from callers and from other services', async () => {
    const before = await Promise.all(SERVICES.map((name) => services.haproxy.sentTo(name)));
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, (_, number) => (number % 2 === 0 ? runAsAlice(false) : runAsServiceA(false))),
    );
    expect(outcomes).toEqual(outcomes.map(() => OK));
    for (const [at, name] of SERVICES.entries()) {
      const sent = (await services.haproxy.sentTo(name)).map((count, replica) => count - (before[at]?.[replica] ?? 0));
      expect(sent).toEqual([10, 10, 10]);
    }
  });

  it('lose only the requests that a replica was processing when it was killed', async () => {
    const [victim] = services.of('service-b');
    if (victim === undefined) throw new Error('There is no replica');
    let killedMs = 0;
    const { failures } = await underLoad(async () => {
      // Stops the replica first, so the replica has unanswered requests when the test kills it.
      victim.process.process.kill('SIGSTOP');
      while (((await services.haproxy.countsOf('service-b'))[0]?.atHand ?? 0) < 3) await sleep(10);
      const isDown = services.end(victim, 'SIGKILL');
      await victim.process.exited;
      killedMs = performance.now();
      await isDown;
      await sleep(500);
    });
    const [unanswered = 0, ...ofOthers] = (
      await Promise.all(SERVICES.toSorted(secondFirst).map((name) => services.haproxy.countsOf(name)))
    ).flatMap((counts) => counts.map((count) => count.unanswered));
    // If HAProxy reused a connection to the killed replica, HAProxy closes the caller's connection. If HAProxy
    // opened a new connection, HAProxy answers 502, and may count the request twice.
    const answered = failures.filter(({ outcome }) => outcome.includes('answered_502')).length;
    expect(failures.length).toBeGreaterThanOrEqual(3);
    expect(unanswered).toBeGreaterThanOrEqual(failures.length);
    expect(unanswered).toBeLessThanOrEqual(failures.length + answered);
    expect(ofOthers).toEqual(ofOthers.map(() => 0));
    expect(failures.map(({ outcome }) => outcome)).toEqual(
      failures.map(() => expect.stringMatching(/^50[23] .*"service_(unavailable|failed)"/)),
    );
    expect(failures.filter(({ startedMs }) => startedMs > killedMs)).toEqual([]);
    const back = await underLoad(() => services.startAgain(victim));
    expect(back.failures).toEqual([]);
    expect(back.made).toBeGreaterThan(0);
  });

  it('answer all requests even if one replica is not ready', async () => {
    const [, victim] = services.of('service-c');
    if (victim === undefined) throw new Error('There is no replica');
    await services.end(victim, 'SIGTERM');
    services.respawn(victim, { SERVICE_C_CLIENT_SECRET: 'another-one-than-keycloak-has' });
    const health = (what: string): Promise<number | undefined> =>
      fetch(`${victim.url}/health/${what}`).then(
        ({ status }) => status,
        () => undefined,
      );
    while ((await health('live')) !== 200) await sleep(50);
    const before = await services.haproxy.sentTo('service-c');
    let made = 0;
    const { failures } = await underSteadyLoad(
      { perSecond, send: (number) => ((made += 1), number % 2 === 0 ? runAsAlice(kept) : runAsServiceA(false)) },
      () => sleep(1000),
    );
    expect(failures).toEqual([]);
    const after = await services.haproxy.sentTo('service-c');
    const [first = 0, second, third = 0] = after.map((count, replica) => count - (before[replica] ?? 0));
    expect(second).toBe(0);
    expect(first + third).toBe(made);
    expect(await health('ready')).toBe(503);
    victim.process.process.kill('SIGKILL');
    await victim.process.exited;
    await services.startAgain(victim);
  });

  it(
    'can be replaced under load without a failed request or a lost session',
    async () => {
      const codes: (number | null)[] = [];
      const replace = async (replicas: readonly Replica[]): Promise<void> => {
        for (const replica of replicas) {
          codes.push(await services.end(replica, 'SIGTERM'));
          await services.startAgain(replica);
        }
      };
      const rows = isLong ? [services.replicas] : SERVICES.map((name) => services.of(name));
      const { made, failures } = await underLoad(async () => {
        await Promise.all(rows.map(replace));
      }, least);
      if (failures.length > 0) console.log(services.warnings().join('\n'));
      expect(failures).toEqual([]);
      expect(codes).toEqual(services.replicas.map(() => 0));
      expect(made).toBeGreaterThanOrEqual(least);
      const afterwards = await Promise.all(loggedIn.map(homeOf));
      expect(afterwards).toEqual(loggedIn.map(() => OK));
      if (isLong) console.log(`${made} requests while nine processes were replaced: ${failures.length} failed`);
    },
    isLong ? 600_000 : 120_000,
  );
});

/** Sorts Service B first, because its first replica is killed. */
const secondFirst = (one: string, other: string): number => Number(other === 'service-b') - Number(one === 'service-b');
