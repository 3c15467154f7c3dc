/** Three processes of each service behind HAProxy: each takes its share, and when they end or are replaced, callers lose nothing. */
import { Agent, request, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testServer } from 'keycloak-test-servers';
import { login, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import { canReplicate, ReplicatedServices } from '../support/replicated-services.js';

/** Each request goes through all three services. */
const CALLERS = 6;
const PAUSE_MS = 50;
const REPLICAS = 3;
const SERVICES = ['service-a', 'service-b', 'service-c'];

const describeWithReplicas = canReplicate ? describe : describe.skip;

describeWithReplicas('three replicas of each service', () => {
  let services: ReplicatedServices;
  let token: string;

  beforeAll(async () => {
    services = await ReplicatedServices.start({ replicas: REPLICAS });
    token = textOf(await login(testServer(), 'alice'));
    services.scanner.addToken(token);
  }, 120_000);
  afterAll(() => services.stop());

  /** As alice or as Service A itself, on a connection that is kept or on a new one. */
  async function runChain(agent: Agent | false, asAlice: boolean): Promise<string> {
    const headers = asAlice ? { Authorization: `Bearer ${token}` } : {};
    const sent = request(`${services.urlOf('service-a')}/run-service-b`, { agent, headers }).end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const body = (await response.setEncoding('utf8').toArray()).join('');
    return response.statusCode === 200 && body.includes('Order 9876 processed')
      ? 'ok'
      : `${response.statusCode} ${body}`;
  }

  /** A steady load while `change` runs: how many requests were made, and what those that failed came to. */
  async function underLoad(change: () => Promise<void>): Promise<{ readonly made: number; readonly failed: string[] }> {
    const kept = new Agent({ keepAlive: true, maxSockets: CALLERS });
    const done = new AbortController();
    const failed: string[] = [];
    let made = 0;
    const callers = Array.from({ length: CALLERS }, async (_, number) => {
      while (!done.signal.aborted) {
        made += 1;
        const came = runChain(number % 2 === 0 && kept, number % 4 < 2);
        const outcome = await came.catch((error: NodeJS.ErrnoException) => error.code ?? error.message);
        if (outcome !== 'ok') failed.push(outcome);
        await sleep(PAUSE_MS);
      }
    });
    try {
      await sleep(500);
      await change();
    } finally {
      done.abort();
      await Promise.all(callers);
      kept.destroy();
    }
    return { made, failed };
  }

  it('share the requests of a caller, and those of each other', async () => {
    const before = await Promise.all(SERVICES.map((name) => services.haproxy.sentTo(name)));
    const outcomes = await Promise.all(Array.from({ length: 30 }, (_, number) => runChain(false, number % 2 === 0)));
    expect(outcomes).toEqual(outcomes.map(() => 'ok'));
    for (const [at, name] of SERVICES.entries()) {
      const sent = (await services.haproxy.sentTo(name)).map((count, replica) => count - (before[at]?.[replica] ?? 0));
      expect(sent).toEqual([10, 10, 10]);
    }
  });

  it('lose what one of them had in flight when it is killed, and nothing after that', async () => {
    const [victim] = services.of('service-b');
    if (victim === undefined) throw new Error('There is no replica');
    const { failed } = await underLoad(async () => {
      await services.end(victim, 'SIGKILL');
    });
    expect(failed.length).toBeLessThanOrEqual(CALLERS);
    const { made, failed: failedLater } = await underLoad(() => services.startAgain(victim));
    expect(failedLater).toEqual([]);
    expect(made).toBeGreaterThan(CALLERS);
  }, 60_000);

  it('leave out one that is not ready', async () => {
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
    const { made, failed } = await underLoad(() => sleep(1000));
    expect(failed).toEqual([]);
    const after = await services.haproxy.sentTo('service-c');
    const [first = 0, second, third = 0] = after.map((count, replica) => count - (before[replica] ?? 0));
    expect(second).toBe(0);
    expect(first + third).toBe(made);
    expect(await health('ready')).toBe(503);
    victim.process.process.kill('SIGKILL');
    await victim.process.exited;
    await services.startAgain(victim);
  }, 60_000);

  it('are all replaced, those of each service one after the other, and no request fails', async () => {
    const codes: (number | null)[] = [];
    const replace = async (name: string): Promise<void> => {
      for (const replica of services.of(name)) {
        codes.push(await services.end(replica, 'SIGTERM'));
        await services.startAgain(replica);
      }
    };
    const { made, failed } = await underLoad(async () => {
      await Promise.all(SERVICES.map(replace));
    });
    expect(failed).toEqual([]);
    expect(codes).toEqual(services.replicas.map(() => 0));
    expect(made).toBeGreaterThan(500);
  }, 120_000);
});
