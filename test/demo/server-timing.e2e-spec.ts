import { testServer } from 'keycloak-test-servers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseServerTiming } from 'demo';
import { claimsOf } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { type Reply, clientCredentials, login, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import { sha256 } from '../support/running-service.js';
import { RunningServices, ttl, WITHOUT_DEMO_MODE } from '../support/running-services.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SAMPLED = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` };
const HTML = { Accept: 'text/html' };

interface Answer {
  readonly status: number;
  readonly header: string | null;
  readonly steps: readonly string[];
  readonly text: string;
}

let chain: RunningServices;

async function run(headers: Record<string, string>, path = '/run-service-b', of = chain): Promise<Answer> {
  const response = await fetch(of.a.url + path, { headers });
  const header = response.headers.get('server-timing');
  const steps = parseServerTiming(header ?? '', 'nobody').map(({ service, step, description = '' }) =>
    `${service}.${step} ${description}`.trimEnd(),
  );
  return { status: response.status, header, steps, text: await response.text() };
}
const as = (reply: Reply): Record<string, string> => ({ Authorization: `Bearer ${textOf(reply)}` });

beforeAll(async () => {
  chain = await RunningServices.start({ variables: ttl(30) });
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
  it('shows requested tokens in the first answer, and reused tokens in the second answer', async () => {
    const { result: cold, calls } = await chain.keycloak.during(() => run(SAMPLED));
    expect(cold.status).toBe(200);
    expect(cold.steps).toEqual(['service-a.client-credentials requested', ...AT_B_AND_C('requested', 'asked')]);
    expect(calls.filter(({ endpoint }) => endpoint !== 'other')).toHaveLength(4);
    const { result: warm, calls: none } = await chain.keycloak.during(() => run(SAMPLED));
    expect(warm.steps).toEqual(['service-a.client-credentials reused', ...AT_B_AND_C('reused', 'cached')]);
    expect(none).toEqual([]);
  });

  it("shows the introspection and the exchange of alice's token", async () => {
    const alice = as(await login(testServer(), 'alice'));
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

  it("shows the steps of bob's request up to the refusal, also if the answer is a page", async () => {
    const bob = as(await login(testServer(), 'bob'));
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

  it('shows a refusal by Service B', async () => {
    const own = await clientCredentials(testServer(), 'service-a', 'orders.approve');
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

  it('is sent only for a sampled trace or for the page of the chain', async () => {
    expect((await run({})).header).toBeNull();
    expect((await run({ traceparent: SAMPLED.traceparent.replace(/01$/, '00') })).header).toBeNull();
    expect((await run({ traceparent: 'nonsense' })).header).toBeNull();
    expect((await run(HTML)).header).not.toBeNull();
    expect((await run(HTML, '/')).header).toBeNull();
  });

  it('shows no steps of other requests if 40 requests run at the same time', async () => {
    const cold = as(await login(testServer(), 'alice'));
    const warm = as(await login(testServer(), 'alice'));
    const bob = as(await login(testServer(), 'bob'));
    await run(warm);
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, at) => [cold, warm, bob, {}][at % 4] ?? {}).map((who) =>
        run({ ...SAMPLED, ...who }),
      ),
    );
    const of = (at: number): Answer[] => answers.filter((_, index) => index % 4 === at);
    const counted = (some: Answer[], step: string): number => some.filter(({ steps }) => steps.includes(step)).length;
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

describe('the page with the result of the call chain', () => {
  it('shows the steps and the claims of all tokens, but no token (BF-07)', async () => {
    const asService = await run(HTML);
    expect(asService.text).toMatch(/What just happened.*The tokens side by side/s);
    expect(asService.text).toContain('there is no token at the first hop');
    const alice = await login(testServer(), 'alice');
    const page = await run({ ...HTML, ...as(alice) });
    expect(page.text).toContain('5 of these steps asked Keycloak.');
    expect(page.text.match(/<th scope="col">At Service [ABC]/g)).toEqual([
      '<th scope="col">At Service A',
      '<th scope="col">At Service B',
      '<th scope="col">At Service C',
    ]);
    const { sub } = claimsOf(textOf(alice));
    expect(page.text.split(`<span class="value">${String(sub)}</span>`)).toHaveLength(4);
    for (const { header, text } of [asService, page]) expect(text + header).not.toContain('eyJ');
    expect(chain.scanner.leaks()).toEqual([]);
  });

  it("shows the claims of the chain's tokens without a further token request", async () => {
    const alice = await login(testServer(), 'alice');
    const { result, calls } = await chain.keycloak.during(() => run({ ...HTML, ...as(alice) }));
    expect(calls.filter(({ endpoint }) => endpoint !== 'other')).toHaveLength(5);
    const issued = calls.map(({ answer }) => answer['access_token']).filter((token) => typeof token === 'string');
    expect(issued).toHaveLength(2);
    for (const token of issued) expect(result.text).toContain(`token:${sha256(token).slice(0, 8)}`);
    // The header does not show the calls that fetched the claims.
    expect(result.steps.filter((step) => step.includes('.call'))).toHaveLength(2);
  });

  it('says that Service A reused the cached refusal of Keycloak', async () => {
    const bob = as(await login(testServer(), 'bob'));
    const [first, second] = [await run({ ...HTML, ...bob }), await run({ ...HTML, ...bob })];
    expect([first.status, second.status]).toEqual([403, 403]);
    expect(first.text).toContain('Keycloak refuses: the caller may not do this.');
    expect(second.text).toContain('Service A remembers that Keycloak refused a token for Service B a moment ago.');
    expect(first.text).not.toContain('The tokens side by side');
  });
});

describe('GET /demo/tokens', () => {
  it('returns claims and fingerprints of tokens only to the calling service in the chain', async () => {
    const own = await clientCredentials(testServer(), 'service-a', 'orders.approve');
    const warehouse = await clientCredentials(testServer(), 'warehouse', 'inventory.adjust');
    const get = (url: string, token: string): Promise<Response> =>
      fetch(`${url}/demo/tokens`, { headers: { Authorization: `Bearer ${token}` } });
    const answer = await get(chain.b.url, textOf(own));
    expect(answer.status).toBe(200);
    const [atB, atC] = (await answer.json()) as Record<string, unknown>[];
    expect(atB).toMatchObject({
      service: 'service-b',
      fingerprint: `token:${sha256(textOf(own)).slice(0, 8)}`,
      claims: { aud: 'service-b', azp: 'service-a' },
    });
    expect(atC).toMatchObject({ service: 'service-c', claims: { aud: 'service-c', azp: 'service-b' } });
    expect((await get(chain.b.url, textOf(warehouse))).status).toBe(403);
    expect((await get(chain.c.url, textOf(own))).status).toBe(401);
  });
});

describe('the services without demo mode', () => {
  it('send no Server-Timing header, show no steps and have no route /demo/tokens', async () => {
    const undemonstrated = await RunningServices.start({ variables: WITHOUT_DEMO_MODE });
    const { a, b, c } = undemonstrated;
    for (const { url } of [b, c]) {
      const live = await fetch(`${url}/health/live`, { headers: SAMPLED });
      const told = await fetch(`${url}/demo/tokens`, { headers: SAMPLED });
      expect([live.status, live.headers.get('server-timing')]).toEqual([200, null]);
      expect([told.status, told.headers.get('server-timing')]).toEqual([404, null]);
    }
    const page = await fetch(`${a.url}/run-service-b`, { headers: { ...SAMPLED, ...HTML } });
    expect([page.status, page.headers.get('server-timing')]).toEqual([401, null]);
    expect(await page.text()).not.toContain('What just happened');
    await undemonstrated.stop();
  });
});
