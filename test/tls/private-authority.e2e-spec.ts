import { writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startKeycloak, testServer, type RunningKeycloak } from 'keycloak-test-servers';
import type { AuthorizationServerError, ServiceCallError, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { REALM_ENVIRONMENT, REALM_FILE, SECRETS } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { withQuickRealm } from '../../libs/keycloak-test-servers/contract/quick-realm.mjs';
import { clientCredentials, login, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import { composeKeycloak, type ComposedKeycloak } from '../../libs/keycloak/src/module/compose-keycloak.js';
import { examine } from '../../libs/keycloak/src/cli/doctor/examine.js';
import { canMakeCertificates, TestAuthority, type KeyPair } from '../../libs/keycloak/spec-support/certificates.js';
import { RunningServices } from '../support/running-services.js';
import { TlsTerminator } from '../support/tls-terminator.js';

const withOpenssl = canMakeCertificates ? describe : describe.skip;

let house: TestAuthority;
let other: TestAuthority;
const stopped: (() => Promise<void>)[] = [];

beforeAll(() => {
  if (canMakeCertificates) [house, other] = [new TestAuthority(), new TestAuthority('another-authority')];
});
afterAll(() => {
  if (canMakeCertificates) for (const authority of [house, other]) authority.remove();
});

async function stopAll(): Promise<void> {
  for (const stop of stopped.splice(0).toReversed()) await stop();
}

async function behindTls(target: string, pair: KeyPair, renames = false): Promise<TlsTerminator> {
  const terminator = await TlsTerminator.start(target, pair, renames);
  stopped.push(() => terminator.stop());
  return terminator;
}

const realmAt = (url: string): string => `${url}/realms/${testServer().realm}`;

const composed = (url: string, caFile?: string): ComposedKeycloak =>
  composeKeycloak({ issuer: realmAt(url), clientId: 'service-a', clientSecret: SECRETS['service-a'], tls: { caFile } });

async function refusalOf(call: Promise<unknown>): Promise<{ code: string; reason: string; hint: unknown }> {
  const { code, reason, fields } = (await call.then(
    () => {
      throw new Error('The call went through');
    },
    (error: unknown) => error,
  )) as AuthorizationServerError | ServiceCallError;
  return { code, reason, hint: fields['hint'] };
}

const BAD: readonly [
  what: string,
  reason: string,
  cure: RegExp,
  of: () => { pair: KeyPair; trusted?: TestAuthority },
][] = [
  [
    'the wrong authority',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    /tls\.caFile/,
    () => ({ pair: house.issue(), trusted: other }),
  ],
  [
    'a private authority without a CA file',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    /NODE_EXTRA_CA_CERTS/,
    () => ({ pair: house.issue() }),
  ],
  [
    'another host name',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    /other host names/,
    () => ({ pair: house.issue('DNS:elsewhere.example'), trusted: house }),
  ],
  [
    'an expired certificate',
    'CERT_HAS_EXPIRED',
    /Renew/,
    () => ({ pair: house.issue(undefined, { expired: true }), trusted: house }),
  ],
  [
    'a self-signed certificate',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    /self-signed/,
    () => ({ pair: house.selfSigned(), trusted: house }),
  ],
];

withOpenssl('a Keycloak with a certificate of a private authority', () => {
  afterEach(stopAll);

  it('answers requests for metadata, introspection, tokens, token exchanges and keys', async () => {
    const terminator = await behindTls(testServer().baseUrl, house.issue(), true);
    const keycloak = composed(terminator.url, house.caFile());
    const caller = await keycloak.verifier.verify(textOf(await login(testServer(), 'alice')));
    expect(caller.claims.iss).toBe(realmAt(terminator.url));
    await keycloak.clientCredentials.getToken('orders.approve');
    await keycloak.tokenExchange.exchange(caller, { audience: 'service-b', scope: 'orders.approve' });
    const keys = await keycloak.fetch.fetch(`${realmAt(terminator.url)}/protocol/openid-connect/certs`);
    expect(keys.status).toBe(200);
    const paths = terminator.requests.map((request) => request.replace(/ \/realms\/[^/]+/, ' '));
    expect(new Set(paths)).toEqual(
      new Set([
        'GET /.well-known/openid-configuration',
        'POST /protocol/openid-connect/token/introspect',
        'POST /protocol/openid-connect/token',
        'GET /protocol/openid-connect/certs',
      ]),
    );
    const { findings } = await examine({ keycloak, handlers: [], notSeen: [] }, undefined);
    expect(findings.filter(({ level }) => level === 'error')).toEqual([]);
    expect(findings.find(({ check }) => check === 'tls')?.message).toContain('of an authority in tls.caFile');
  });

  it.each(BAD)('receives no request in case of %s, and the log names the cause', async (_, reason, cure, of) => {
    const { pair, trusted } = of();
    const terminator = await behindTls(testServer().baseUrl, pair, true);
    const keycloak = composed(terminator.url, trusted?.caFile());
    for (const call of [
      () => keycloak.clientCredentials.getToken(),
      () => keycloak.verifier.verify('eyJhbGciOiJSUzI1NiJ9.e30.AAAA'),
      () => keycloak.fetch.fetch(`${realmAt(terminator.url)}/protocol/openid-connect/certs`),
    ]) {
      expect(await refusalOf(call())).toEqual({
        code: 'authorization_server_unavailable',
        reason,
        hint: expect.stringMatching(cure) as unknown,
      });
    }
    expect(terminator.requests).toEqual([]);
    const { findings } = await examine({ keycloak, handlers: [], notSeen: [] }, undefined);
    expect(findings).toContainEqual(
      expect.objectContaining({
        check: 'tls',
        level: 'error',
        message: expect.stringContaining(reason) as unknown,
        cure: expect.stringMatching(cure) as unknown,
      }),
    );
  });

  it('is trusted without a restart after its authority is appended to the file', async () => {
    const caFile = house.caFile();
    const { baseUrl } = testServer();
    const [before, after] = [
      await behindTls(baseUrl, house.issue(), true),
      await behindTls(baseUrl, other.issue(), true),
    ];
    // The second terminator has a different address, which forces a new connection.
    const keys = ({ url }: TlsTerminator) =>
      composedBoth.fetch.fetch(`${realmAt(url)}/protocol/openid-connect/certs`).then(({ status }) => status);
    const composedBoth = composeKeycloak({
      issuer: realmAt(before.url),
      internalServerUrl: after.url,
      clientId: 'service-a',
      clientSecret: SECRETS['service-a'],
      maxRetries: 0,
      tls: { caFile },
    });
    expect(await refusalOf(keys(after))).toMatchObject({ reason: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
    writeFileSync(caFile, house.certificate + other.certificate);
    expect(await keys(after)).toBe(200);
  });
});

withOpenssl('a service with a certificate of a private authority', () => {
  let keycloak: TlsTerminator;
  let behind: RunningServices;
  let tokenOfAlice: string;
  beforeAll(async () => {
    keycloak = await TlsTerminator.start(testServer().baseUrl, house.issue(), true);
    behind = await RunningServices.start({
      only: ['service-b', 'service-c'],
      direct: true,
      server: { baseUrl: keycloak.url, issuer: realmAt(keycloak.url) },
      variables: { KEYCLOAK_CA_FILE: house.caFile() },
    });
    tokenOfAlice = textOf(await login(testServer(), 'alice'));
  });
  afterAll(async () => {
    await behind.stop();
    await keycloak.stop();
  });
  afterEach(stopAll);

  async function serviceA(url: string, variables: Readonly<Record<string, string>>): Promise<RunningServices> {
    const services = await RunningServices.start({
      only: ['service-a'],
      direct: true,
      server: { baseUrl: keycloak.url, issuer: realmAt(keycloak.url) },
      own: { 'service-a': { SERVICE_B_URL: url, KEYCLOAK_CA_FILE: house.caFile(), ...variables } },
    });
    stopped.push(() => services.stop());
    return services;
  }

  const ask = (services: RunningServices, path: string, token = tokenOfAlice) =>
    fetch(services.a.url + path, { headers: { authorization: `Bearer ${token}` } });

  it('receives health checks, and calls from ServiceClient and ServiceHttp', async () => {
    const terminator = await behindTls(behind.b.url, house.issue());
    const services = await serviceA(terminator.url, { SERVICES_CA_FILE: house.caFile() });
    expect((await ask(services, '/run-service-b')).status).toBe(200);
    const receipt = await ask(services, '/api/orders/9876/receipt');
    expect([receipt.status, await receipt.text()]).toEqual([200, expect.stringContaining('Receipt for order 9876')]);
    expect(terminator.requests).toEqual(expect.arrayContaining(['POST /api/process', 'GET /api/receipts/9876']));
    const operator = textOf(await clientCredentials(testServer(), 'operator', 'service-a.health'));
    const details: unknown = await (await ask(services, '/health/details', operator)).json();
    expect(details).toMatchObject({ details: { 'service-b': { status: 'up' } } });
  });

  it.each(BAD)('receives no token in case of %s, and the log names the cause', async (_, reason, cure, of) => {
    const { pair, trusted } = of();
    const terminator = await behindTls(behind.b.url, pair);
    const file = trusted?.caFile();
    const services = await serviceA(terminator.url, file === undefined ? {} : { SERVICES_CA_FILE: file });
    const before = services.printed().length;
    for (const path of ['/run-service-b', '/api/orders/9876/receipt']) {
      const answer = await ask(services, path);
      expect([answer.status, await answer.json()]).toEqual([
        503,
        expect.objectContaining({ code: 'service_unavailable' }),
      ]);
    }
    expect(terminator.requests).toEqual([]);
    const lines = services.printed().slice(before).split('\n');
    const telling = lines.filter((line) => line.includes(`"reason":"${reason}"`) && cure.test(line));
    expect(telling).toHaveLength(2);
  });

  it('is checked by doctor, which reports an untrusted authority', async () => {
    const terminator = await behindTls(behind.b.url, house.issue());
    const findingsWith = async (caFile: string): Promise<string> => {
      const own = composed(keycloak.url, house.caFile());
      own.service('service-b', { baseUrl: terminator.url, audience: 'service-b', tls: { caFile } });
      const findings = await own.issuers[0].checkup.reach();
      return findings.map(({ level, message, cure = '' }) => `${level} ${message} ${cure}`).join('\n');
    };
    expect(await findingsWith(house.caFile())).toBe(`ok service-b answers at ${terminator.url}. `);
    expect(await findingsWith(other.caFile())).toMatch(
      /^error service-b .*UNABLE_TO_VERIFY_LEAF_SIGNATURE.*tls\.caFile/,
    );
  });
});

const { kind } = testServer();
const using = kind === 'docker' || kind === 'distribution' ? kind : undefined;
const ownTls = canMakeCertificates && using !== undefined ? describe : describe.skip;

ownTls('a Keycloak that serves TLS', () => {
  let keycloak: RunningKeycloak;
  beforeAll(async () => {
    keycloak = await withQuickRealm(REALM_FILE, (realm) => {
      const options = { realm, environment: REALM_ENVIRONMENT, tls: house.issue() };
      return startKeycloak(using === undefined ? options : { ...options, using });
    });
  });
  afterAll(() => keycloak.stop());

  /** The timeout is long, because a newly started Keycloak answers slowly. */
  const at = (caFile: string): ComposedKeycloak =>
    composeKeycloak({
      issuer: keycloak.issuer,
      internalServerUrl: keycloak.httpsUrl ?? 'none',
      clientId: 'service-a',
      clientSecret: SECRETS['service-a'],
      allowInsecureRequests: true,
      timeoutMs: 30_000,
      tls: { caFile },
    });

  it('answers requests for introspection, tokens and token exchanges if the authority is trusted', async () => {
    const own = at(house.caFile());
    const caller: VerifiedAccessToken = await own.verifier.verify(textOf(await login(keycloak, 'alice')));
    await own.clientCredentials.getToken('orders.approve');
    await own.tokenExchange.exchange(caller, { audience: 'service-b', scope: 'orders.approve' });
    expect(await own.health.check()).toEqual({ reachable: true });
  });

  it('is refused if the authority is not trusted', async () => {
    expect(await refusalOf(at(other.caFile()).clientCredentials.getToken())).toMatchObject({
      code: 'authorization_server_unavailable',
      reason: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    });
  });
});
