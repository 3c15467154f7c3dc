import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ATTACKS, type AttackId } from '../../apps/service-a/src/attacks/attack-list.js';
import type { AttackReport } from '../../apps/service-a/src/attacks/attack-lab.js';
import type { AttackReports } from '../../apps/service-a/src/attacks/attacks.controller.js';
import { Browser, locationOf } from '../../libs/keycloak-test-servers/contract/browser.js';
import { clientCredentials, exchangeForC, login, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import { describeOnBothServers } from '../../libs/keycloak-test-servers/contract/describe-servers.js';
import type { ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import {
  REALM_ENVIRONMENT,
  REALM_FILE,
  startEmbeddedServer,
} from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { answering, startFakeService } from '../support/fake-service.js';
import { REALM } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import type { RunningService } from '../support/running-service.js';
import { findsActiveWhoeverAsks } from '../support/keycloak-version.js';
import { NOWHERE, RunningServices, ttl, WITHOUT_DEMO_MODE, type ServerAddress } from '../support/running-services.js';
import { freePort, startAuthorizationServer } from 'keycloak-test-servers';

const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin' };
const JSON_WANTED = { accept: 'application/json' };

async function post(url: string, headers: Readonly<Record<string, string>> = SAME_ORIGIN) {
  const response = await fetch(url, { method: 'POST', headers: { ...JSON_WANTED, ...headers } });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text };
}

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

async function run(service: Pick<RunningService, 'url'>, id: string): Promise<AttackReport> {
  return JSON.parse((await post(`${service.url}/attacks/${id}`)).text) as AttackReport;
}

const INACTIVE = '401 invalid_token inactive';

const WINDOW_SECONDS = 3;

/** The expected outcomes are not computed from the list of attacks, so the test finds mistakes in the list. */
const DUE: Readonly<Record<AttackId, string>> = {
  'no-token': '401 missing_token no_credentials',
  'token-at-c': INACTIVE,
  'token-back-at-a': INACTIVE,
  'exchanged-token-at-a': INACTIVE,
  'exchanged-token-at-b': INACTIVE,
  'permission-not-assigned': '400 invalid_scope Invalid scopes: inventory.adjust',
  'bob-approves': '403 insufficient_scope permission_not_granted_to_subject orders.approve',
  'ordinary-login': '401 insufficient_user_authentication authentication_too_weak',
  'exchange-by-c': '400 invalid_request Standard token exchange is not enabled for the requested client',
  'revoked-token': INACTIVE,
  'expired-token': INACTIVE,
  'disabled-user': INACTIVE,
  'tampered-signature': INACTIVE,
  'alg-none': '401 invalid_token token_malformed',
  'id-token': '401 invalid_token not_an_access_token',
  'token-in-query': '401 missing_token token_in_query',
};

const AT_WRONG_SERVICE = new Set(['token-at-c', 'token-back-at-a', 'exchanged-token-at-a', 'exchanged-token-at-b']);

const wordsOf = ({ attempt }: AttackReport): readonly (string | number | undefined)[] => {
  if ('notRun' in attempt) return [attempt.notRun];
  const { status, code, reason, permission } = attempt.attack.answer;
  return [
    [status, code, reason, permission].filter((part) => part !== undefined).join(' '),
    attempt.control.answer.status,
  ];
};

/** Services that verify signatures do not learn about a revocation at Keycloak. */
const DUE_BY_SIGNATURE: Partial<Readonly<Record<AttackId, string>>> = {
  ...Object.fromEntries([...AT_WRONG_SERVICE].map((id) => [id, '401 invalid_token other_audience'])),
  'expired-token': '401 invalid_token expired',
  'tampered-signature': '401 invalid_token signature_invalid',
  'revoked-token': '200',
  'disabled-user': '200',
};

describeOnBothServers((connect, which) => {
  describe('attacks on the services', () => {
    let server: ContractServer;
    let lab: RunningServices;
    const answers: string[] = [];

    beforeAll(async () => {
      server = await connect();
      lab = await RunningServices.start({ server, variables: ttl(WINDOW_SECONDS) });
    });
    afterAll(async () => {
      await lab.stop();
      await server.stop();
    });

    it('have an expected outcome in this spec', () => {
      expect(ATTACKS.map(({ id }) => id).toSorted()).toEqual(Object.keys(DUE).toSorted());
    });

    it.each(Object.entries(DUE))(
      'include %s, which fails with %s, while the legitimate request succeeds',
      async (id, due) => {
        const { status, text } = await post(`${lab.a.url}/attacks/${id}`);
        const report = JSON.parse(text) as AttackReport;
        answers.push(text);
        const isSeenHere = which === 'keycloak' && findsActiveWhoeverAsks() && AT_WRONG_SERVICE.has(id);
        const dueHere = isSeenHere ? due.replace('inactive', 'other_audience') : due;
        expect([status, report.verdict, ...wordsOf(report)]).toEqual([200, 'refused', dueHere, 200]);
      },
    );

    it('can all run in one request, which returns JSON or an HTML page', async () => {
      const { text } = await post(`${lab.a.url}/attacks`);
      const { refused, of, reports } = JSON.parse(text) as AttackReports;
      expect([refused, of]).toEqual([ATTACKS.length, ATTACKS.length]);
      expect(reports.map(({ attack }) => attack.id)).toEqual(ATTACKS.map(({ id }) => id));
      const page = await post(`${lab.a.url}/attacks`, { ...SAME_ORIGIN, accept: 'text/html' });
      expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(page.text).toContain('All 16 attacks were refused, each for the expected reason');
      expect(page.text.match(/data-verdict="refused"/g)).toHaveLength(ATTACKS.length);
      answers.push(text, page.text);
    });

    it('are refused by services that verify signatures, except for two attacks that only Keycloak detects', async () => {
      const others = await RunningServices.start({
        server,
        variables: { ...ttl(WINDOW_SECONDS), TOKEN_VERIFICATION: 'jwt' },
      });
      const { text } = await post(`${others.a.url}/attacks`);
      await others.stop();
      const { reports } = JSON.parse(text) as AttackReports;
      expect(Object.fromEntries(reports.map((report) => [report.attack.id, wordsOf(report)[0]]))).toEqual({
        ...DUE,
        ...DUE_BY_SIGNATURE,
      });
      expect(
        reports.filter(({ verdict }) => verdict !== 'refused').map(({ attack, verdict }) => [attack.id, verdict]),
      ).toEqual([
        ['revoked-token', 'open'],
        ['disabled-user', 'open'],
      ]);
    });

    it('leave the cached tokens of the services unchanged', async () => {
      const chain = () => fetch(`${lab.a.url}/run-service-b`, { headers: JSON_WANTED });
      expect((await chain()).status).toBe(200);
      for (const id of ['revoked-token', 'token-in-query', 'exchanged-token-at-a', 'bob-approves'])
        await run(lab.a, id);
      const { result, calls } = await lab.keycloak.during(chain);
      expect(result.status).toBe(200);
      expect(calls.filter(({ endpoint }) => endpoint === 'token')).toEqual([]);
    });

    it('put no token in an answer or in a log (RS-23)', () => {
      expect(lab.scanner.knownCount).toBeGreaterThan(20);
      expect(lab.scanner.leaks()).toEqual([]);
      expect(answers.join('\n') + lab.printed()).not.toContain('eyJ');
    });

    it('require a separate permission at each service', async () => {
      const withoutIt = textOf(await login(server, 'alice'));
      const withIt = textOf(await login(server, 'bob', 'attacks.run'));
      const forB = textOf(await clientCredentials(server, 'service-a', 'orders.approve'));
      const forC = await exchangeForC(server, forB);
      const cases = [
        [`${lab.a.url}/attacks/no-token`, withoutIt, 'attacks.run'],
        [`${lab.a.url}/attacks`, withoutIt, 'attacks.run'],
        [`${lab.b.url}/api/attacks/exchanged-token-at-a`, forB, 'attacks.replay'],
        [`${lab.c.url}/api/attacks/exchange-by-c`, forC, 'attacks.exchange'],
      ] as const;
      for (const [url, token, permission] of cases) {
        const { status, text } = await post(url, bearer(token));
        expect([url, status, JSON.parse(text)]).toEqual([
          url,
          403,
          { error: 'Insufficient permission', code: 'insufficient_scope', permission, reason: 'permission_missing' },
        ]);
      }
      const page = await post(`${lab.a.url}/attacks`, { ...bearer(withoutIt), accept: 'text/html' });
      expect([page.status, page.text]).toEqual([403, expect.stringContaining('Permission attacks.run is missing.')]);
      expect((await post(`${lab.a.url}/attacks/no-token`, bearer(withIt))).status).toBe(200);
      for (const url of [`${lab.b.url}/api/attacks/exchanged-token-at-a`, `${lab.c.url}/api/attacks/exchange-by-c`]) {
        expect((await post(url)).status).toBe(401);
      }
    });

    it('have status 404 if the name of the attack is unknown', async () => {
      expect((await post(`${lab.a.url}/attacks/constructor`)).status).toBe(404);
      const token = textOf(await clientCredentials(server, 'service-a', 'attacks.replay'));
      for (const id of ['token-at-c', 'constructor', '__proto__']) {
        const { status, text } = await post(`${lab.b.url}/api/attacks/${id}`, bearer(token));
        expect([status, JSON.parse(text)]).toEqual([404, { error: 'No such attack', code: 'attack_not_found' }]);
      }
    });

    it('are not run for a request from another site (BF-06)', async () => {
      const cases: Record<string, string>[] = [
        {},
        { 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'same-site' },
        { origin: 'http://evil.example' },
      ];
      for (const headers of cases) {
        for (const path of ['/attacks', '/attacks/no-token']) {
          const { status, text } = await post(lab.a.url + path, headers);
          expect([status, JSON.parse(text)]).toMatchObject([403, { code: 'cross_site' }]);
        }
      }
    });
  });
});

describe('an attack without the expected refusal', () => {
  let server: Awaited<ReturnType<typeof startEmbeddedServer>>;
  const stops: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    server = await startEmbeddedServer();
  });
  afterAll(async () => {
    for (const stop of stops.toReversed()) await stop();
    await server.stop();
  });

  async function serviceA(others: Readonly<Record<string, string>>, at: ServerAddress = server) {
    const services = await RunningServices.start({
      only: ['service-a'],
      server: at,
      direct: true,
      variables: { ...ttl(10), ...others },
    });
    stops.push(() => services.stop());
    return services.a;
  }

  async function fake(...answer: Parameters<typeof answering>): Promise<string> {
    const service = await startFakeService(answering(...answer));
    stops.push(() => service.stop());
    return service.url;
  }

  it('is reported as open if a service accepts the attack', async () => {
    const open = await fake(200, {});
    const service = await serviceA({ SERVICE_B_URL: open, SERVICE_C_URL: open });
    for (const id of ['token-at-c', 'tampered-signature', 'alg-none', 'no-token', 'token-in-query', 'revoked-token']) {
      expect([id, await run(service, id)]).toMatchObject([id, { verdict: 'open', why: 'It was accepted: 200.' }]);
    }
    const page = await post(`${service.url}/attacks/token-at-c`, { ...SAME_ORIGIN, accept: 'text/html' });
    expect(page.text).toContain('OPEN: it got through');
    const { refused, of } = JSON.parse((await post(`${service.url}/attacks`)).text) as AttackReports;
    expect(refused).toBeLessThan(of);
  });

  it.each([
    ['reason', 401, { code: 'invalid_token', reason: 'expired' }],
    ['code', 401, { code: 'missing_token', reason: 'inactive' }],
    ['status', 403, { code: 'invalid_token', reason: 'inactive' }],
    ['page', 404, {}],
  ])('is reported as refused_otherwise if the answer has an unexpected %s', async (_, status, body) => {
    const service = await serviceA({ SERVICE_B_URL: await fake(200, {}), SERVICE_C_URL: await fake(status, body) });
    expect(await run(service, 'token-at-c')).toMatchObject({
      verdict: 'refused_otherwise',
      why: expect.stringContaining('expected was 401 invalid_token, inactive or 401 invalid_token, other_audience.'),
    });
  });

  it('is reported as not run if the service also refuses the legitimate request', async () => {
    const refusing = await fake(401, { code: 'invalid_token', reason: 'inactive' });
    const service = await serviceA({ SERVICE_B_URL: refusing, SERVICE_C_URL: refusing });
    for (const id of ['token-at-c', 'tampered-signature', 'revoked-token']) {
      expect([id, await run(service, id)]).toMatchObject([
        id,
        { verdict: 'not_run', why: expect.stringContaining('The honest use was refused too') },
      ]);
    }
  });

  it('is reported as not run if a service is down, fails, or answers in an unknown format', async () => {
    const service = await serviceA({ SERVICE_B_URL: await fake(200, { attack: 'refused' }) });
    expect(await run(service, 'token-at-c')).toMatchObject({
      verdict: 'not_run',
      why: 'Service C could not be reached.',
    });
    expect(await run(service, 'exchange-by-c')).toMatchObject({
      verdict: 'not_run',
      why: 'Service B reported its attack in an unknown format.',
    });
    const failing = await serviceA({
      SERVICE_B_URL: await fake(200, {}),
      SERVICE_C_URL: await fake(503, { code: 'authorization_server_unavailable' }),
    });
    expect(await run(failing, 'token-at-c')).toMatchObject({
      verdict: 'not_run',
      why: 'The server could not decide: 503 authorization_server_unavailable.',
    });
    expect(await run(await serviceA({}), 'exchanged-token-at-a')).toMatchObject({
      verdict: 'not_run',
      why: expect.stringContaining('service_unavailable'),
    });
  });

  it('is reported as not run if Keycloak is down', async () => {
    const service = await serviceA({}, { baseUrl: NOWHERE, issuer: `${NOWHERE}/realms/${REALM}` });
    const { refused, reports } = JSON.parse((await post(`${service.url}/attacks`)).text) as AttackReports;
    expect(refused).toBe(0);
    for (const { verdict, why } of reports) {
      expect([verdict, why]).toEqual(['not_run', expect.stringMatching(/Keycloak could not be reached|unavailable/)]);
    }
  });

  it('is reported as not run if too many attacks run at the same time', async () => {
    const service = await serviceA({});
    server.control.fault('token', { kind: 'delay', milliseconds: 2000 });
    const reports = await Promise.all(Array.from({ length: 40 }, () => run(service, 'permission-not-assigned')));
    server.control.fault('token', undefined);
    const busy = reports.filter(({ verdict }) => verdict === 'not_run');
    expect(new Set(busy.map(({ why }) => why))).toEqual(
      new Set(['Too many attacks are running: try again in a moment.']),
    );
    expect(reports.length - busy.length).toBe(20);
  });
});

describe('the services without demo mode', () => {
  it('have no routes for attacks, and start without settings for attacks', async () => {
    const server = await startEmbeddedServer();
    const services = await RunningServices.start({ server, variables: WITHOUT_DEMO_MODE });
    const { a, b, c } = services;
    try {
      const urls = [
        `${a.url}/attacks`,
        ...ATTACKS.map(({ id }) => `${a.url}/attacks/${id}`),
        ...['exchanged-token-at-a', 'exchanged-token-at-b', 'exchange-by-c'].map((id) => `${b.url}/api/attacks/${id}`),
        `${c.url}/api/attacks/exchange-by-c`,
      ];
      for (const url of urls) expect([url, (await post(url)).status]).toEqual([url, 404]);
      for (const { routes } of [a, b, c]) expect(routes.filter(({ url }) => url.includes('attack'))).toEqual([]);
      expect(await (await fetch(a.url)).text()).not.toContain('Try to break in');
    } finally {
      await services.stop();
      await server.stop();
    }
  });
});

describe('a user who is logged in', () => {
  it('can run an attack only with the CSRF token of the session (BF-06)', async () => {
    const port = await freePort();
    const publicUrl = `http://localhost:${port}`;
    const environment = { ...REALM_ENVIRONMENT, SERVICE_A_PUBLIC_URL: publicUrl };
    const server = await startAuthorizationServer({ realm: REALM_FILE, environment });
    const lab = await RunningServices.start({ server, publicUrl, variables: ttl(10) });
    try {
      const browser = new Browser();
      const form = await browser.open(`${lab.a.url}/auth/login`, {}, (next) => next.includes('/auth/callback'));
      await browser.open(locationOf(await browser.submitLogin(form, 'bob')) ?? '');
      const home = await browser.send(lab.a.url);
      expect(home.text).toContain('Logged in as <strong>bob</strong>');
      const tokens = [...home.text.matchAll(/name="csrf_token" value="([^"]+)"/g)].map(([, value]) => value);
      expect([tokens.length, new Set(tokens).size]).toEqual([ATTACKS.length + 3, 1]);
      const sent = { method: 'POST', headers: SAME_ORIGIN } as const;
      const url = `${lab.a.url}/attacks/id-token`;
      expect((await browser.send(url, { ...sent, form: {} })).status).toBe(403);
      const page = await browser.send(url, { ...sent, form: { csrf_token: tokens[0] ?? '' } });
      expect([page.status, page.text]).toEqual([200, expect.stringContaining('data-verdict="refused"')]);
      // A request with an unknown session must not run as the service. The cookie stays, because another instance
      // may know the session.
      browser.setCookie(lab.a.url, 'session', 'over');
      const over = await browser.send(url, { ...sent, form: {} });
      expect([over.status, over.text]).toEqual([401, expect.stringContaining('The attacks were not run')]);
      expect(browser.cookie(lab.a.url, 'session')).toBe('over');
    } finally {
      await lab.stop();
      await server.stop();
    }
  });
});
