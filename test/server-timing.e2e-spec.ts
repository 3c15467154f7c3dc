/** What just happened: the header Server-Timing of a traced request, against what Keycloak was really asked. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseServerTiming } from 'service-defaults';
import * as keycloak from './keycloak.js';
import { RunningChain } from './running-chain.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SAMPLED = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` };
const HTML = { Accept: 'text/html' };

interface Answer {
  readonly status: number;
  readonly header: string | null;
  /** Each metric of the header as `<service>.<step> <description>`. */
  readonly steps: readonly string[];
  readonly text: string;
}

let chain: RunningChain;

async function run(headers: Record<string, string>, path = '/run-service-b', of = chain): Promise<Answer> {
  const response = await fetch(of.a.url + path, { headers });
  const header = response.headers.get('server-timing');
  const steps = parseServerTiming(header ?? '', 'nobody').map(({ service, step, description = '' }) =>
    `${service}.${step} ${description}`.trimEnd(),
  );
  return { status: response.status, header, steps, text: await response.text() };
}
const as = ({ access_token }: keycloak.TokenAnswer): Record<string, string> => ({
  Authorization: `Bearer ${access_token}`,
});

beforeAll(async () => {
  chain = await RunningChain.start({ INTROSPECTION_TTL_SECONDS: '30' });
});
afterAll(() => chain.stop());

const AT_B_AND_C = (exchange: string, looked: string): string[] => [
  'service-a.call service-b 200',
  `service-b.introspection ${looked}`,
  `service-b.token-exchange ${exchange}`,
  'service-b.call service-c 200',
  `service-c.introspection ${looked}`,
  'service-c.total',
  'service-b.total',
  'service-a.total',
];

describe('Server-Timing', () => {
  it('tells of service-a: all is asked for at first, and known the next time', async () => {
    const { result: cold, calls } = await chain.keycloak.during(() => run(SAMPLED));
    expect(cold.status).toBe(200);
    expect(cold.steps).toEqual(['service-a.client-credentials requested', ...AT_B_AND_C('requested', 'asked')]);
    expect(calls.filter(({ endpoint }) => endpoint !== 'other')).toHaveLength(4);
    const { result: warm, calls: none } = await chain.keycloak.during(() => run(SAMPLED));
    expect(warm.steps).toEqual(['service-a.client-credentials reused', ...AT_B_AND_C('reused', 'cached')]);
    expect(none).toEqual([]);
  });

  it('tells of alice: her token is introspected, and exchanged', async () => {
    const alice = as(await keycloak.password('alice'));
    const cold = await run({ ...SAMPLED, ...alice });
    const warm = await run({ ...SAMPLED, ...alice });
    expect(cold.steps).toEqual([
      'service-a.introspection asked',
      'service-a.token-exchange requested',
      ...AT_B_AND_C('requested', 'asked'),
    ]);
    expect(warm.steps).toEqual([
      'service-a.introspection cached',
      'service-a.token-exchange reused',
      ...AT_B_AND_C('reused', 'cached'),
    ]);
  });

  it('tells what happened until bob was refused, on the page as well', async () => {
    const bob = as(await keycloak.password('bob'));
    const { status, steps } = await run({ ...SAMPLED, ...bob });
    expect(status).toBe(403);
    expect(steps).toEqual([
      'service-a.introspection asked',
      'service-a.token-exchange requested',
      'service-a.refused insufficient_scope',
      'service-a.total',
    ]);
    const page = await run({ ...HTML, ...bob });
    expect(page.steps).toContain('service-a.refused insufficient_scope');
  });

  it('tells where a next service refused', async () => {
    const own = await keycloak.clientCredentials('service-a', 'orders.approve');
    const response = await fetch(`${chain.b.url}/api/inventory/adjust`, {
      method: 'POST',
      headers: { ...SAMPLED, ...as(own), 'Content-Type': 'application/json' },
      body: '{}',
    });
    expect(response.status).toBe(403);
    expect(response.headers.get('server-timing')).toMatch(
      /^service-b\.introspection;desc="asked";dur=[\d.]+, service-b\.refused;desc="insufficient_scope", service-b\.total;dur=/,
    );
  });

  it('is there only for who asks', async () => {
    expect((await run({})).header).toBeNull();
    expect((await run({ traceparent: SAMPLED.traceparent.replace(/01$/, '00') })).header).toBeNull();
    expect((await run({ traceparent: 'nonsense' })).header).toBeNull();
    expect((await run(HTML)).header).not.toBeNull();
    expect((await run(HTML, '/')).header).toBeNull();
  });

  it('of requests at one time is each its own: who asked, who waited, and who was refused', async () => {
    const cold = as(await keycloak.password('alice'));
    const warm = as(await keycloak.password('alice'));
    const bob = as(await keycloak.password('bob'));
    await run(warm);
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, at) => [cold, warm, bob, {}][at % 4] ?? {}).map((who) =>
        run({ ...SAMPLED, ...who }),
      ),
    );
    const of = (at: number): Answer[] => answers.filter((_, index) => index % 4 === at);
    const counted = (some: Answer[], step: string): number => some.filter(({ steps }) => steps.includes(step)).length;
    // Ten requests bring one cold token: one asks, nine wait, or come when it is known.
    expect(counted(of(0), 'service-a.introspection asked')).toBe(1);
    expect(counted(of(0), 'service-a.token-exchange requested')).toBe(1);
    expect(counted(of(0), 'service-b.introspection asked')).toBe(1);
    expect(counted(of(0), 'service-b.token-exchange requested')).toBe(1);
    expect(counted(of(0), 'service-c.introspection asked')).toBe(1);
    for (const { steps, status } of of(0)) expect([status, steps.length]).toEqual([200, 10]);
    for (const { steps } of of(1)) {
      expect(steps).toEqual([
        'service-a.introspection cached',
        'service-a.token-exchange reused',
        ...AT_B_AND_C('reused', 'cached'),
      ]);
    }
    for (const { steps, status } of of(2)) {
      expect(status).toBe(403);
      expect(steps.slice(2)).toEqual(['service-a.refused insufficient_scope', 'service-a.total']);
    }
    expect(counted(of(2), 'service-a.token-exchange requested')).toBe(1);
    for (const { steps } of of(3)) {
      expect(steps).toEqual(['service-a.client-credentials reused', ...AT_B_AND_C('reused', 'cached')]);
    }
  });
});
