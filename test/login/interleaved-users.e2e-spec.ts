import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Whoami } from 'service-defaults';
import { Browser, locationOf } from '../../libs/keycloak-test-servers/contract/browser.js';
import { login, textOf, type Reply } from '../../libs/keycloak-test-servers/contract/requests.js';
import { describeOnBothServers } from '../../libs/keycloak-test-servers/contract/describe-servers.js';
import type { ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { startFakeService, type FakeService } from '../support/fake-service.js';
import { claimsOf, publicUrl } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { type RunningService } from '../support/running-service.js';
import { RunningServices, ttl } from '../support/running-services.js';

const AT_ONCE = 200;
const ROUNDS = 3;

const REFUSED = '403 insufficient_scope';
/** A busy machine may cause these answers, which contain no subject. */
const TOO_SLOW = ['504 service_timeout', '503 service_unavailable'];

interface Caller {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly expected: string;
}

const startSubjectTeller = (c: () => RunningService): Promise<FakeService> =>
  startFakeService((request, response) => {
    void (async () => {
      const headers = { Authorization: request.headers.authorization ?? '' };
      const { subject } = (await (await fetch(`${c().url}/api/whoami`, { headers })).json()) as Partial<Whoami>;
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify({ result: 20, msg: String(subject) }));
    })();
  });

describeOnBothServers((connect) => {
  let keycloak: ContractServer;
  let a: RunningService;
  let callers: readonly Caller[];
  const stops: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    keycloak = await connect();
    const teller = await startSubjectTeller(() => services.c);
    const services = await RunningServices.start({
      server: keycloak,
      direct: true,
      // The ttl is short, so that introspections and renewals happen during the test.
      variables: ttl(1),
      own: { 'service-b': { SERVICE_C_URL: teller.url } },
      publicUrl,
    });
    a = services.a;
    stops.push(
      () => services.stop(),
      () => teller.stop(),
      () => keycloak.stop(),
    );
    const [carol, dave] = [await keycloak.newUser('order-manager'), await keycloak.newUser('order-manager')];
    const logins = [];
    // alice and carol have two sessions each, so two different tokens have one subject.
    for (const user of ['alice', 'alice', carol, carol, dave]) logins.push(await login(keycloak, user));
    const bySendingTokens = logins.map(callerOf);
    const subjects = new Map(bySendingTokens.map(({ name, expected }) => [name, expected]));
    const bySessions = [];
    for (const name of ['alice', 'alice', carol, 'bob']) {
      bySessions.push({ name, headers: await session(name), expected: subjects.get(name) ?? REFUSED });
    }
    callers = [
      ...bySendingTokens,
      ...bySessions,
      { ...callerOf(await login(keycloak, 'bob')), expected: REFUSED },
      { name: 'service-a', headers: {}, expected: await serviceAccount(a) },
    ];
  });

  afterAll(async () => {
    for (const stop of stops) await stop();
  });

  it('runs each of 200 concurrent requests at Service A as the user of its session or token (TX-05)', async () => {
    expect(new Set(callers.map(({ expected }) => expected)).size).toBe(5);
    let answered = 0;
    for (let round = 0; round < ROUNDS || answered <= AT_ONCE; round += 1) {
      const askers = Array.from({ length: AT_ONCE }, (_, at) => callers[(at * 3 + round) % callers.length] as Caller);
      const answers = await Promise.all(askers.map(async ({ headers }) => outcome(a, headers)));
      const inTime = answers.flatMap((answer, at) =>
        TOO_SLOW.includes(answer) ? [] : [{ answer, asker: askers[at] }],
      );
      expect(inTime.map(({ answer }) => answer)).toEqual(inTime.map(({ asker }) => asker?.expected));
      answered += inTime.length;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  });
});

function callerOf(reply: Reply): Caller {
  const token = textOf(reply);
  const { sub, preferred_username } = claimsOf(token);
  return { name: String(preferred_username), headers: { Authorization: `Bearer ${token}` }, expected: String(sub) };
}

async function session(username: string): Promise<Caller['headers']> {
  const browser = new Browser();
  const form = await browser.open(`${publicUrl}/auth/login`);
  await browser.send(locationOf(await browser.submitLogin(form, username)) ?? '');
  return { Cookie: `session=${browser.cookie(publicUrl, 'session')}` };
}

async function outcome(a: RunningService, headers: Readonly<Record<string, string>>): Promise<string> {
  const response = await fetch(`${a.url}/run-service-b`, { headers });
  const body = (await response.json()) as { service_c?: { msg: string }; code?: string };
  return body.service_c?.msg ?? `${response.status} ${body.code}`;
}

const serviceAccount = (a: RunningService): Promise<string> => outcome(a, {});
