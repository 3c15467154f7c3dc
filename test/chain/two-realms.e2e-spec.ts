import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startFaultProxy } from 'keycloak-test-servers';
import { AccessTokenVerifier, getServiceClientToken, RevocationList, type ServiceClient } from 'nestjs-keycloak-s2s';
import { claimsOf } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import {
  clientCredentials,
  exchange,
  exchangeForB,
  exchangeForC,
  login,
  textOf,
} from '../../libs/keycloak-test-servers/contract/requests.js';
import { connectToKeycloak, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { KeycloakRecorder, type RecordedCall } from '../support/keycloak-recorder.js';
import type { RunningService, Variables } from '../support/running-service.js';
import { RunningServices, ttl } from '../support/running-services.js';
import { OtherIssuerFiles, startSecondRealm } from '../support/second-realm.js';
import { ServiceOutput } from '../support/service-output.js';

const REALMS = ['first', 'second'] as const;
type Which = (typeof REALMS)[number];

const output = ServiceOutput.acquire();
const files = new OtherIssuerFiles();
let servers: Readonly<Record<Which, ContractServer>>;
let atSecond: KeycloakRecorder;

beforeAll(async () => {
  servers = { first: await connectToKeycloak(), second: await startSecondRealm() };
  atSecond = await KeycloakRecorder.start(servers.second.baseUrl, output.scanner);
});
afterAll(async () => {
  await atSecond.stop();
  await Promise.all(REALMS.map((which) => servers[which].stop()));
  files.remove();
  output.release();
});

interface User {
  readonly username: string;
  readonly subject: string;
  readonly atA: string;
  readonly atB: string;
  readonly sid: string;
}

const kept = (token: string): string => {
  output.scanner.addToken(token);
  return token;
};

async function userOf(server: ContractServer, username: string): Promise<User> {
  await server.newUser('order-manager', username);
  const atA = kept(textOf(await login(server, username)));
  const atB = kept(await exchangeForB(server, atA));
  return { username, subject: await server.subjectOf(username), atA, atB, sid: String(claimsOf(atB)['sid']) };
}

async function usersOfBoth(): Promise<Readonly<Record<Which, User>>> {
  const username = `user-${randomUUID()}`;
  const [first, second] = await Promise.all([userOf(servers.first, username), userOf(servers.second, username)]);
  return { first, second };
}

function rewritten(token: string, iss: string): string {
  const [header, , signature] = token.split('.');
  const payload = Buffer.from(JSON.stringify({ ...claimsOf(token), iss })).toString('base64url');
  return [header, payload, signature].join('.');
}

type Answer = readonly [status: number, members: Readonly<Record<string, unknown>>];

async function ask({ url }: RunningService, path: string, token: string, body?: object): Promise<Answer> {
  const json = body === undefined ? {} : { 'content-type': 'application/json' };
  const response = await fetch(url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${token}`, ...json },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  const text = await response.text();
  return [response.status, isJson ? (JSON.parse(text) as Answer[1]) : {}];
}

const isNoPath = (name: string): boolean => !name.startsWith('/');

const whoami = (service: RunningService, token: string): Promise<Answer> => ask(service, '/api/whoami', token);

/** A token of the first realm may have more scopes than `permission`. */
const permissionsOf = (which: Which, permission: string): unknown =>
  which === 'second' ? [permission] : expect.arrayContaining([permission]);

const ORDER = { order_id: 7, amount: 12.5 };

describe.each<['introspection' | 'jwt', Variables]>([
  ['introspection', {}],
  ['jwt', { TOKEN_VERIFICATION: 'jwt' }],
])('services that accept two realms, with verification by %s', (way, verification) => {
  let services: RunningServices;
  let a: RunningService;
  let b: RunningService;
  let c: RunningService;
  let users: Readonly<Record<Which, User>>;

  beforeAll(async () => {
    const { issuer } = servers.second;
    const accepted = { issuer, baseUrl: atSecond.baseUrl };
    services = await RunningServices.start({
      server: servers.first,
      // With the longest ttl, results stay cached, so the test notices a cache that mixes up realms.
      variables: { ...ttl(300), ...verification },
      own: {
        'service-a': files.for('service-a', {
          ...accepted,
          acceptedScopes: ['orders.read'],
          audiences: { 'service-b': 'service-b' },
        }),
        'service-b': files.for('service-b', {
          ...accepted,
          acceptedScopes: ['orders.approve'],
          audiences: { 'service-c': 'service-c' },
        }),
        'service-c': files.for('service-c', { ...accepted, acceptedScopes: ['analytics.run'] }),
      },
    });
    ({ a, b, c } = services);
    for (const service of [a, b, c]) await service.ready();
  });
  afterAll(() => services.stop());

  beforeEach(async () => {
    users = await usersOfBoth();
  });

  const list = ({ app }: RunningService): RevocationList => app.get(RevocationList, { strict: false });

  async function during<T>(action: () => Promise<T>) {
    const { result: ofSecond, calls: first } = await services.keycloak.during(() => atSecond.during(action));
    const named = (calls: readonly RecordedCall[]): string[] =>
      calls.map(({ endpoint, client, path }) => (endpoint === 'other' ? path : `${client} ${endpoint}`));
    return { result: ofSecond.result, first: named(first), second: named(ofSecond.calls) };
  }

  describe('a token', () => {
    it.each(REALMS)(
      'identifies the user of the %s realm, although the other realm has a user with an equal name (RS-10)',
      async (which) => {
        const { username, subject, atB } = users[which];
        expect(await whoami(b, atB)).toEqual([
          200,
          expect.objectContaining({
            issuer: servers[which].issuer,
            subject,
            username,
            caller: 'service-a',
            audience: ['service-b'],
            permissions: permissionsOf(which, 'orders.approve'),
          }),
        ]);
        expect(users.first.subject).not.toBe(users.second.subject);
      },
    );

    it('does not give access to health details if the second realm issued the token and its permission (OP-06)', async () => {
      const [ofFirst, ofSecond] = await Promise.all(
        REALMS.map(async (which) => {
          const token = kept(textOf(await clientCredentials(servers[which], 'operator', 'service-b.health')));
          return (await ask(b, '/health/details', token))[0];
        }),
      );
      // The status is 503 if a dependency is down, although the token was accepted.
      expect([200, 503]).toContain(ofFirst);
      expect(ofSecond).toBe(403);
    });

    it.each<[Which, Which]>([
      ['first', 'second'],
      ['second', 'first'],
    ])(
      'of the %s realm is refused if its issuer was changed to the %s realm, despite cached tokens (RS-07, RS-12)',
      async (from, to) => {
        const { atB } = users[from];
        for (const which of REALMS) {
          for (let times = 0; times < 3; times += 1) expect((await whoami(b, users[which].atB))[0]).toBe(200);
        }
        const { result, ...asked } = await during(() => whoami(b, rewritten(atB, servers[to].issuer)));
        expect(result).toEqual([
          401,
          expect.objectContaining({ reason: way === 'jwt' ? 'signing_key_unknown' : 'inactive' }),
        ]);
        expect(asked[from]).toEqual([]);
        // In jwt mode the service may fetch keys again, but does not introspect.
        const introspections = way === 'jwt' ? [] : ['service-b token/introspect'];
        expect(asked[to].filter(isNoPath)).toEqual(introspections);
        expect((await whoami(b, atB))[0]).toBe(200);
      },
    );

    it.each<[string, () => Promise<string>]>([
      ['of a third realm of the same server', () => servers.first.administrator.token()],
      [
        'whose issuer is not configured',
        async () => rewritten(users.second.atB, 'https://sso.example.com/realms/other'),
      ],
      [
        'whose issuer only begins with a configured issuer',
        async () => rewritten(users.second.atB, `${servers.second.issuer}2`),
      ],
    ])('%s is refused without a call to Keycloak (RS-07)', async (_, tokenOf) => {
      const token = await tokenOf();
      const { result, first, second } = await during(() => whoami(b, token));
      expect(result).toEqual([401, expect.objectContaining({ code: 'invalid_token', reason: 'other_issuer' })]);
      expect([first, second]).toEqual([[], []]);
    });

    it('stays cached after a recheck of the tokens of another realm (RS-12, RS-13)', async () => {
      const { issuer } = servers.second;
      const both = () => during(async () => Promise.all(REALMS.map((which) => whoami(b, users[which].atB))));
      await both();
      expect(await both()).toMatchObject({ first: [], second: [] });
      list(b).recheck({ issuer, clientId: 'service-a' });
      const { result, first, second } = await both();
      expect(result.map(([status]) => status)).toEqual([200, 200]);
      expect([first, second]).toEqual([[], ['service-b token/introspect']]);
    });

    it('has only the scopes that the service accepts from the realm of the token (RS-09)', async () => {
      const receipts = { scope: 'receipts.read', audience: 'service-b' };
      const [ofFirst, ofSecond] = await Promise.all(
        REALMS.map(async (which) =>
          kept(textOf(await exchange(servers[which], 'service-a', users[which].atA, receipts))),
        ),
      );
      const path = '/api/receipts/9876';
      expect((await ask(b, path, ofFirst ?? ''))[0]).toBe(200);
      expect(await ask(b, path, ofSecond ?? '')).toEqual([
        403,
        expect.objectContaining({ code: 'insufficient_scope', permission: 'receipts.read' }),
      ]);
      expect((await whoami(b, ofSecond ?? ''))[1]).toMatchObject({ permissions: [] });
    });

    it('is refused if its client only has the same name as an allowed client of the first realm (RS-10)', async () => {
      expect(await ask(b, '/api/process', users.first.atB, ORDER)).toEqual([
        200,
        expect.objectContaining({ service_c: expect.objectContaining({ result: 20 }) as unknown }),
      ]);
      const { result, ...asked } = await during(() => ask(b, '/api/process', users.second.atB, ORDER));
      expect(result).toEqual([403, expect.objectContaining({ code: 'client_not_allowed' })]);
      for (const which of REALMS) expect(asked[which]).not.toContain('service-b token');
      const atC = await Promise.all(
        REALMS.map(async (which) => kept(await exchangeForC(servers[which], users[which].atB))),
      );
      const answers = await Promise.all(atC.map((token) => ask(c, '/api/compute', token, { value: 10 })));
      expect(answers).toEqual([
        [200, expect.objectContaining({ result: 20 })],
        [403, expect.objectContaining({ code: 'client_not_allowed' })],
      ]);
    });

    it('has a different subject in each realm, even if both clients have the same id (RS-10)', async () => {
      const [ofFirst, ofSecond] = await Promise.all(
        REALMS.map(async (which) =>
          kept(textOf(await clientCredentials(servers[which], 'service-a', 'orders.approve'))),
        ),
      );
      const [first, second] = await Promise.all([ofFirst, ofSecond].map((token) => whoami(b, token ?? '')));
      expect(first).toMatchObject([200, { caller: 'service-a', issuer: servers.first.issuer }]);
      expect(second).toMatchObject([200, { caller: 'service-a', issuer: servers.second.issuer }]);
      expect(first?.[1]['subject']).not.toBe(second?.[1]['subject']);
    });
  });

  describe('the called service', () => {
    it.each<[Which, Which]>([
      ['first', 'second'],
      ['second', 'first'],
    ])(
      'receives a token of the %s realm for a user of this realm, without a call to the %s realm (CC-03, TX-01)',
      async (which, other) => {
        const { username, subject, atB } = users[which];
        const caller = await b.app.get(AccessTokenVerifier, { strict: false }).verify(atB);
        const serviceC = b.app.get<ServiceClient>(getServiceClientToken('service-c'), { strict: false });
        const call = () => serviceC.onBehalfOf(caller, 'analytics.run').get('/api/whoami');
        const { result, ...asked } = await during(call);
        expect(result).toMatchObject({
          issuer: servers[which].issuer,
          audience: ['service-c'],
          caller: 'service-b',
          permissions: permissionsOf(which, 'analytics.run'),
          username,
          subject,
        });
        expect(asked[other]).toEqual([]);
        const expected = way === 'jwt' ? ['service-b token'] : ['service-b token', 'service-c token/introspect'];
        expect(asked[which].filter(isNoPath)).toEqual(expected);
        expect(await during(call)).toEqual({ result, first: [], second: [] });
      },
    );
  });

  it('run the chain for users of the first realm, but refuse users of the second realm at Service B (TX-08)', async () => {
    const run = (which: Which) => during(() => ask(a, '/run-service-b', users[which].atA));
    const ofFirst = await run('first');
    expect(ofFirst.result[0]).toBe(200);
    expect(ofFirst.second).toEqual([]);
    const ofSecond = await run('second');
    // Service B verifies the token, but allows only clients of the first realm.
    expect(ofSecond.result).toEqual([403, expect.objectContaining({ reason: 'refused_by_next_service' })]);
    expect(ofSecond.first).toEqual([]);
    expect(ofSecond.second.filter(isNoPath)).toContain('service-a token');
    expect(ofSecond.second).not.toContain('service-b token');
  });

  describe('a denial', () => {
    it('must name its realm, and applies only to sessions and users of this realm (RS-13)', async () => {
      const { first, second } = users;
      const [{ issuer: ofFirst }, { issuer: ofSecond }] = [servers.first, servers.second];
      const reasons = async () =>
        Promise.all(REALMS.map(async (which) => (await whoami(b, users[which].atB))[1]['reason'] ?? 'none'));
      expect(() => list(b).deny({ sid: second.sid })).toThrow(TypeError);
      list(b).deny({ issuer: ofSecond, sid: first.sid });
      list(b).deny({ issuer: ofSecond, sub: first.subject, issuedBefore: Date.now() / 1000 + 60 });
      list(b).deny({ issuer: ofFirst, sid: second.sid });
      expect(await reasons()).toEqual(['none', 'none']);
      list(b).deny({ issuer: ofSecond, sid: second.sid });
      expect(await reasons()).toEqual(['none', 'revoked']);
      list(b).deny({ issuer: ofFirst, sub: first.subject, issuedBefore: Date.now() / 1000 + 60 });
      expect(await reasons()).toEqual(['revoked', 'revoked']);
    });
  });

  it.each<[Which, Which]>([
    ['first', 'second'],
    ['second', 'first'],
  ])(
    'answer the users of the other realm while the server of the %s realm is unreachable (RS-14)',
    async (away, there) => {
      const proxies = await Promise.all(REALMS.map((which) => startFaultProxy({ target: servers[which].baseUrl })));
      const [first, second] = proxies;
      if (first === undefined || second === undefined) throw new TypeError('There are two realms');
      await { first, second }[away].fault({ kind: 'refuse' });
      const accepted = { issuer: servers.second.issuer, baseUrl: second.baseUrl, acceptedScopes: ['orders.approve'] };
      const one = await RunningServices.start({
        server: { baseUrl: first.baseUrl, issuer: servers.first.issuer },
        direct: true,
        only: ['service-b'],
        variables: { ...ttl(0), ...verification },
        own: { 'service-b': files.for('service-b', accepted) },
      });
      try {
        for (let times = 0; times < 3; times += 1) {
          expect(await whoami(one.b, users[away].atB)).toEqual([
            503,
            expect.objectContaining({ code: 'authorization_server_unavailable' }),
          ]);
          expect(await whoami(one.b, users[there].atB)).toEqual([
            200,
            expect.objectContaining({ subject: users[there].subject }),
          ]);
        }
      } finally {
        await one.stop();
        await Promise.all(proxies.map((proxy) => proxy.stop()));
      }
    },
  );
});
