import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { loginTo, startTestRealm } from '../../../keycloak-test-servers/spec-support/test-realm.js';
import { encoded } from '../../spec-support/signers.js';
import { optionsOf } from '../../spec-support/test-realm.js';
import type { ConnectedSharedCache, SharedCache } from '../caching/shared-cache.js';
import { composeKeycloak, type ComposedKeycloak } from '../module/compose-keycloak.js';
import { jwtVerification } from '../entry-points/jwt/index.js';
import type { MultiIssuerModuleOptions } from '../options/keycloak.options.js';
import { denialOf } from '../protocol/denial.js';
import { KeycloakException } from '../protocol/keycloak-exception.js';
import { unverifiedClaims } from '../protocol/unverified-claims.js';
import type { RevocationChannel, RevocationReceiver } from '../revocation/revocation-channel.js';
import type { Denial } from '../protocol/denial.js';

let [own, partner]: RunningAuthorizationServer[] = [];
const servers = (): readonly [RunningAuthorizationServer, RunningAuthorizationServer] => {
  if (own === undefined || partner === undefined) throw new Error('not started');
  return [own, partner];
};

beforeAll(async () => {
  [own, partner] = await Promise.all([startTestRealm(), startTestRealm()]);
});
afterAll(() => Promise.all(servers().map((server) => server.stop())));

const CALLS = { timeoutMs: 60_000, maxRetries: 0, circuitBreakerFailures: 1000, allowInsecureRequests: true };

function issuers(clientId = 'service-a') {
  const [first, second] = servers().map((server) => {
    const { issuer, clientSecret } = optionsOf(server);
    return { issuer, clientId, clientSecret };
  });
  if (first === undefined || second === undefined) throw new Error('not started');
  return [first, { ...second, acceptedScopes: ['orders.read'] }] as const;
}

const service = (bend: Partial<MultiIssuerModuleOptions> = {}, clientId?: string): ComposedKeycloak =>
  composeKeycloak({ ...CALLS, issuers: issuers(clientId), ...bend });

function counting(): () => { introspections: number[]; tokens: number[]; keys: number[] } {
  const now = () => servers().map(({ control: { calls } }) => ({ ...calls, token: { ...calls.token } }));
  const before = now();
  const since = (read: (calls: (typeof before)[number]) => number): number[] =>
    now().map((calls, at) => read(calls) - read(before[at] ?? calls));
  return () => ({
    introspections: since(({ introspection }) => introspection),
    tokens: since(({ token }) => token.client_credentials + token.token_exchange),
    keys: since(({ jwks }) => jwks),
  });
}

const reasonOf = async (verifying: Promise<unknown>): Promise<string> =>
  verifying.then(
    () => 'accepted',
    (error: unknown) => {
      if (error instanceof KeycloakException) return error.reason;
      throw error;
    },
  );

function bent(token: string, claims: object): string {
  const [header = '', , signature = ''] = token.split('.');
  return [header, encoded({ ...unverifiedClaims(token), ...claims }), signature].join('.');
}

describe.each<[string, Partial<MultiIssuerModuleOptions>]>([
  ['introspected', {}],
  ['verified by its signature', { verification: 'jwt', jwt: jwtVerification() }],
])('a token of one of several issuers, %s (RS-26)', (way, options) => {
  const isIntrospected = way === 'introspected';

  it('is verified only at the issuer that the token names', async () => {
    const { verifier } = service(options);
    for (const [at, server] of servers().entries()) {
      const count = counting();
      const token = await verifier.verify(await loginTo(server, 'alice'));
      expect(token).toMatchObject({ issuer: server.issuer, username: 'alice' });
      const asked = at === 0 ? [1, 0] : [0, 1];
      const { introspections, keys } = count();
      expect(isIntrospected ? introspections : keys).toEqual(asked);
      expect(isIntrospected ? keys : introspections).toEqual([0, 0]);
    }
  });

  it('is verified from the cache at its second use', async () => {
    const { verifier } = service(options);
    const tokens = await Promise.all(servers().map((server) => loginTo(server, 'alice')));
    for (const text of tokens) await verifier.verify(text);
    const count = counting();
    for (let times = 0; times < 3; times += 1) {
      const found = await Promise.all(tokens.map((text) => verifier.verify(text)));
      expect(found.map(({ issuer }) => issuer)).toEqual(servers().map(({ issuer }) => issuer));
    }
    expect(count()).toMatchObject({ introspections: [0, 0], keys: [0, 0] });
  });

  it('is refused without a call to its real issuer if its iss names another issuer', async () => {
    const { verifier } = service(options);
    const [{ issuer: ofOwn }, { issuer: ofPartner }] = servers();
    for (const [from, to, at] of [
      [0, ofPartner, 1],
      [1, ofOwn, 0],
    ] as const) {
      const count = counting();
      const token = await loginTo(servers()[from], 'alice');
      expect(await reasonOf(verifier.verify(bent(token, { iss: to })))).toBe(
        isIntrospected ? 'inactive' : 'signing_key_unknown',
      );
      const { introspections, keys } = count();
      const unasked = 1 - at;
      expect([introspections[unasked], keys[unasked]]).toEqual([0, 0]);
      expect(introspections[at]).toBe(isIntrospected ? 1 : 0);
    }
  });

  it.each<[string, object, string]>([
    ['of an issuer that is not in the list', { iss: 'https://sso.example.com/realms/other' }, 'other_issuer'],
    ['of an issuer in other letters', { iss: 'HTTP://LOCALHOST' }, 'other_issuer'],
    ['without an issuer', { iss: undefined }, 'iss_missing'],
    ['with an iss that is a list', { iss: ['https://sso.example.com/realms/other'] }, 'other_issuer'],
    ['with an iss that is null', { iss: null }, 'other_issuer'],
  ])('causes no call when the token is %s', async (_, claims, reason) => {
    const { verifier } = service(options);
    const token = await loginTo(servers()[0], 'alice');
    const count = counting();
    expect(await reasonOf(verifier.verify(bent(token, claims)))).toBe(reason);
    expect(count()).toEqual({ introspections: [0, 0], tokens: [0, 0], keys: [0, 0] });
  });

  it.each(['junk', 'a.b', 'a.b.c', 'e30.e30.', '..', `e30.${encoded('[]')}.YQ`])(
    'causes no call when the token is malformed: %s',
    async (text) => {
      const { verifier } = service(options);
      const count = counting();
      expect(await reasonOf(verifier.verify(text))).toMatch(/^(token_malformed|iss_missing)$/);
      expect(count()).toEqual({ introspections: [0, 0], tokens: [0, 0], keys: [0, 0] });
    },
  );

  it("is accepted only for this service's client id at the token's issuer", async () => {
    const [first, second] = issuers();
    const { verifier } = service({ ...options, issuers: [first, { ...second, clientId: 'service-b' }] });
    expect(await reasonOf(verifier.verify(await loginTo(servers()[0], 'alice')))).toBe('accepted');
    // The audience `service-a` is another client at the second issuer.
    expect(await reasonOf(verifier.verify(await loginTo(servers()[1], 'alice')))).toMatch(
      /^(inactive|other_audience)$/,
    );
  });

  it('has only the permissions that are accepted from its issuer', async () => {
    const [first, second] = issuers();
    const permissionsAt = async (acceptedScopes: readonly string[], at: 0 | 1): Promise<readonly string[]> => {
      const { verifier } = service({ ...options, issuers: [first, { ...second, acceptedScopes }] });
      return (await verifier.verify(await loginTo(servers()[at], 'alice'))).permissions;
    };
    expect(await permissionsAt(['orders.read', 'orders.approve'], 1)).toEqual(['orders.read']);
    expect(await permissionsAt(['orders.approve'], 1)).toEqual([]);
    expect(await permissionsAt([], 0)).toContain('orders.read');
  });

  it('has the permissions from the mapper of its issuer', async () => {
    const [first, { acceptedScopes: _, ...second }] = issuers();
    const { verifier } = service({
      ...options,
      issuers: [
        first,
        {
          ...second,
          // #region mapper
          mapPermissions: ({ scope = '' }) => scope.split(' ').map((one) => `partner:${one}`),
          // #endregion mapper
        },
      ],
    });
    const [ofOwn, ofPartner] = await Promise.all(
      servers().map(async (server) => verifier.verify(await loginTo(server, 'alice'))),
    );
    expect(ofOwn?.permissions).toContain('orders.read');
    expect(ofPartner?.permissions).toContain('partner:orders.read');
    expect(ofPartner?.permissions).not.toContain('orders.read');
  });

  it('is denied only by denials of its own issuer', async () => {
    const { verifier, revocations } = service(options);
    const [{ issuer: ofOwn }, { issuer: ofPartner }] = servers();
    const texts = await Promise.all(servers().map((server) => loginTo(server, 'alice')));
    const [first, second] = await Promise.all(texts.map((text) => verifier.verify(text)));
    if (first === undefined || second === undefined) throw new Error('not verified');
    const outcomes = async (): Promise<string[]> => Promise.all(texts.map((text) => reasonOf(verifier.verify(text))));
    const issuedBefore = Date.now() / 1000 + 60;
    revocations.deny({ issuer: ofPartner, sub: first.subject, issuedBefore });
    revocations.deny({ issuer: ofPartner, sid: String(first.sessionId) });
    revocations.deny({ ...denialOf(first), issuer: ofPartner });
    expect((await outcomes())[0]).toBe('accepted');
    revocations.deny({ issuer: ofOwn, sid: String(second.sessionId) });
    revocations.deny(denialOf(first));
    expect((await outcomes())[0]).toBe('revoked');
    expect(revocations.denies(second)).toBe(second.subject === first.subject);
    revocations.deny(denialOf(second));
    expect(await outcomes()).toEqual(['revoked', 'revoked']);
  });
});

describe('a misbehaving server among several issuers (RS-26)', () => {
  it('can not confirm tokens in the name of another issuer (RS-04)', async () => {
    const { verifier } = service();
    const [{ issuer }, second] = servers();
    const token = await loginTo(second, 'alice');
    second.control.fault('introspection', {
      kind: 'answer',
      body: { ...unverifiedClaims(token), active: true, iss: issuer, sub: 'the-administrator' },
    });
    try {
      expect(await reasonOf(verifier.verify(token))).toBe('other_issuer');
    } finally {
      second.control.fault('introspection', undefined);
    }
  });

  it('does not affect another issuer while the misbehaving server is unavailable', async () => {
    const { verifier } = service({ circuitBreakerFailures: 1 });
    const [first, second] = servers();
    second.control.fault('introspection', { kind: 'status', status: 503 });
    try {
      for (let times = 0; times < 3; times += 1) {
        expect(await reasonOf(verifier.verify(await loginTo(second, 'alice')))).not.toBe('accepted');
        expect(await reasonOf(verifier.verify(await loginTo(first, 'alice')))).toBe('accepted');
      }
    } finally {
      second.control.fault('introspection', undefined);
    }
  });
});

describe('the rechecks of a service with several issuers', () => {
  it('drop only the cached results of the issuer that the recheck names', async () => {
    const { verifier, revocations } = service();
    const [{ issuer: ofOwn }, { issuer: ofPartner }] = servers();
    const texts = await Promise.all(servers().map((server) => loginTo(server, 'alice')));
    const asked = async (): Promise<number[]> => {
      const count = counting();
      for (const text of texts) await verifier.verify(text);
      return count().introspections;
    };
    await asked();
    revocations.recheck({ issuer: ofOwn, clientId: 'demo-cli' });
    expect(await asked()).toEqual([1, 0]);
    revocations.recheck({ issuer: ofPartner });
    expect(await asked()).toEqual([0, 1]);
    revocations.recheck('everything');
    expect(await asked()).toEqual([1, 1]);
    expect(await asked()).toEqual([0, 0]);
  });

  it.each<[string, unknown]>([
    ['a denial without an issuer', { sid: 's1' }],
    ['a denial of an issuer that is not in the list', { issuer: 'https://sso.example.com/realms/other', sid: 's1' }],
    ['a denial of no issuer', { issuer: null, sid: 's1' }],
    ['nothing', undefined],
  ])('must name a known issuer, like denials: %s', (_, given) => {
    const { revocations } = service();
    expect(() => revocations.deny(given as Denial)).toThrow(TypeError);
    expect(() => revocations.recheck(given as Denial & { sid: string })).toThrow(TypeError);
    expect(revocations.size).toBe(0);
  });
});

describe('calls with several issuers (RS-26)', () => {
  const target = (audience: string | Readonly<Record<string, string>>, issuer?: string) => ({
    baseUrl: 'http://127.0.0.1:9',
    audience,
    ...(issuer === undefined ? {} : { issuer }),
  });

  it('exchange a token at the issuer of the token', async () => {
    const { verifier, tokenExchange } = service();
    for (const [at, server] of servers().entries()) {
      const token = await verifier.verify(await loginTo(server, 'alice'));
      const count = counting();
      const issued = await tokenExchange.exchange(token, { audience: 'service-b', scope: 'orders.approve' });
      expect(count().tokens).toEqual(at === 0 ? [1, 0] : [0, 1]);
      expect(unverifiedClaims(issued.reveal())).toMatchObject({ iss: server.issuer, aud: 'service-b' });
    }
  });

  it('get the token of this service from the first issuer or from a named issuer', async () => {
    const { clientCredentials } = service();
    const [, { issuer: ofPartner }] = servers();
    let count = counting();
    await clientCredentials.getToken('orders.approve');
    await clientCredentials.getToken('orders.approve');
    expect(count().tokens).toEqual([1, 0]);
    count = counting();
    const token = await clientCredentials.getToken('orders.approve', { issuer: ofPartner });
    expect(count().tokens).toEqual([0, 1]);
    expect(unverifiedClaims(token.reveal())['iss']).toBe(ofPartner);
    await expect(clientCredentials.getToken('x', { issuer: 'https://sso.example.com/realms/other' })).rejects.toThrow(
      TypeError,
    );
  });

  it('fail if the called service has no client id at the issuer of the caller', async () => {
    const [first, second] = servers();
    const { verifier, ...keycloak } = service();
    const onlyAtOwn = keycloak.service('b', target('service-b'));
    const atBoth = keycloak.service('c', target({ [first.issuer]: 'service-b', [second.issuer]: 'service-b' }));
    const token = await verifier.verify(await loginTo(second, 'alice'));
    const count = counting();
    expect(() => onlyAtOwn.onBehalfOf(token, 'orders.read')).toThrow(
      expect.objectContaining({
        code: 'authorization_server_refused',
        reason: 'no_audience_at_issuer',
        fields: { called: 'b', iss: second.issuer },
      }),
    );
    expect(count().tokens).toEqual([0, 0]);
    await atBoth
      .onBehalfOf(token, 'orders.approve')
      .get('/')
      .catch(() => undefined);
    expect(count().tokens[0]).toBe(0);
    expect(count().tokens[1]).toBeGreaterThan(0);
    await keycloak
      .service('d', target('service-b', second.issuer))
      .asService('orders.approve')
      .get('/')
      .catch(() => undefined);
    expect(count().tokens[0]).toBe(0);
  });

  it.each<[string, object, RegExp]>([
    [
      'an audience at an issuer that is not in the list',
      { audience: { 'https://x.test': 'b' } },
      /audience names "https:/,
    ],
    ['an issuer that is not in the list', { audience: 'b', issuer: 'https://x.test' }, /issuer names "https:/],
    ['no audience', { audience: {} }, /audience must be given/],
    ['an empty audience', { audience: { 'https://x.test': ' ' } }, /audience at https:\/\/x\.test must be given/],
  ])('are rejected for a service that is registered with %s', (_, options, fault) => {
    const keycloak = service();
    expect(() => keycloak.service('b', { baseUrl: 'http://127.0.0.1:9', ...options } as never)).toThrow(fault);
  });
});

describe('the shared state of several issuers', () => {
  it('consists of a channel and a cache for each issuer', async () => {
    const channels: [string, RevocationReceiver][] = [];
    const caches: string[] = [];
    const revocationChannel: RevocationChannel = {
      check: () => undefined,
      connect: ({ issuer }, receiver) => {
        channels.push([issuer, receiver]);
        return { append: async () => undefined, appendAgain: async () => true, close: async () => undefined };
      },
    };
    const sharedCache: SharedCache = {
      check: () => undefined,
      connect: ({ issuer }) => {
        caches.push(issuer);
        return {} as ConnectedSharedCache;
      },
    };
    const { sharing, status, revocations } = service({ revocationChannel, sharedCache });
    const names = servers().map(({ issuer }) => issuer);
    const started = sharing.map((each) => each.start(60_000));
    expect([channels.map(([issuer]) => issuer), caches]).toEqual([names, names]);
    expect(status.read().revocationChannel).toMatchObject({ state: 'reading', isReady: false });
    channels[0]?.[1].caughtUp();
    // One channel is unread, so this replica may still miss denials of other replicas.
    expect(status.read().revocationChannel).toMatchObject({ state: 'reading', isReady: false });
    channels[1]?.[1].caughtUp();
    await Promise.all(started);
    expect(status.read().revocationChannel).toMatchObject({ state: 'caught_up', isReady: true });
    channels[1]?.[1].lost('gone');
    expect(status.read().revocationChannel).toMatchObject({ state: 'lost', isReady: true });
    const denial = { kind: 'session', key: 's1', issuedBefore: Infinity } as const;
    channels[1]?.[1].received({ kind: 'denial', denial, at: Date.now() / 1000 }, 0);
    expect(revocations.size).toBe(1);
    await Promise.all(sharing.map((each) => each.stop()));
  });

  it('sums the cache sizes of all issuers, and shows the calls to each issuer', async () => {
    const { verifier, status } = service();
    for (const server of servers()) await verifier.verify(await loginTo(server, 'alice'));
    const { authorizationServer, otherIssuers, caches } = status.read();
    expect(caches.introspections).toBe(2);
    expect(Object.keys(otherIssuers)).toEqual([servers()[1].issuer]);
    expect(Object.keys(otherIssuers[servers()[1].issuer] ?? {})).toEqual(Object.keys(authorizationServer));
  });
});

describe('opaque tokens in a module that also accepts tokens with an iss', () => {
  let keycloak: ComposedKeycloak;
  beforeEach(() => {
    const [first, second] = issuers();
    keycloak = service({ issuers: [first, { ...second, profile: 'rfc7662' }] });
  });

  it('are sent only to the server that may issue opaque tokens', async () => {
    const [, second] = servers();
    const count = counting();
    second.control.fault('introspection', {
      kind: 'answer',
      body: {
        active: true,
        sub: 'u1',
        aud: 'service-a',
        client_id: 'app',
        exp: Date.now() / 1000 + 60,
        scope: 'orders.read',
      },
    });
    try {
      const token = await keycloak.verifier.verify('an-opaque-token');
      expect(token).toMatchObject({ issuer: second.issuer, subject: 'u1' });
      expect(count().introspections).toEqual([0, 1]);
    } finally {
      second.control.fault('introspection', undefined);
    }
  });

  it('do not affect tokens with an iss, which are introspected at their issuer', async () => {
    const [first] = servers();
    const count = counting();
    expect(await reasonOf(keycloak.verifier.verify(await loginTo(first, 'alice')))).toBe('accepted');
    expect(count().introspections).toEqual([1, 0]);
  });
});
