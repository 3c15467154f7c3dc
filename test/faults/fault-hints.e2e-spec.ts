import { request as httpRequest } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { KeycloakException, type KeycloakModuleOptions } from 'nestjs-keycloak-s2s';
import { jwtVerification } from 'nestjs-keycloak-s2s/jwt';
import { describeOnKeycloak } from '../../libs/keycloak-test-servers/contract/describe-servers.js';
import { SECRETS } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { clientCredentials, login, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import type { ComposedKeycloak } from '../../libs/keycloak/src/module/compose-keycloak.js';
import { loggedFields } from '../../libs/keycloak/src/protocol/failure-hints.js';
import { startFakeService } from '../support/fake-service.js';
import { composedIn, type ServiceName } from '../support/composed-in.js';
import { clientIn, unchanged, withRealm, type RealmCopy } from '../support/realm-copy.js';
import { RunningServices } from '../support/running-services.js';

const serviceIn = (
  realm: RealmCopy,
  clientId: ServiceName,
  more: Partial<KeycloakModuleOptions> = {},
  aheadSeconds = 0,
): ComposedKeycloak => composedIn(realm, clientId, { introspectionTtlSeconds: 0, ...more }, aheadSeconds);

interface Line {
  readonly status: number;
  readonly code: string;
  readonly reason: string;
  readonly hint: string;
}

async function refusalOf(failing: unknown): Promise<Line> {
  const error = await Promise.resolve(failing).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof KeycloakException)) throw new Error('nothing was refused', { cause: error });
  const { httpStatus: status, code, reason } = error;
  return { status, code, reason, hint: String(loggedFields(error)['hint']) };
}

/** Always returns a promise, because `verify` may throw synchronously for a cached result. */
const verified = async (service: ComposedKeycloak, token: string): Promise<unknown> => service.verifier.verify(token);

const tokenForB = async (realm: RealmCopy): Promise<string> =>
  textOf(await clientCredentials(realm, 'service-a', 'orders.approve'));

const ours = (reason: string, hint: RegExp) => ({
  status: 502,
  code: 'authorization_server_refused',
  reason,
  hint: expect.stringMatching(hint) as unknown,
});

describeOnKeycloak('the hint of the log line', () => {
  it('recommends the correct client id, and warns against an additional audience mapper (row 29)', () =>
    withRealm(unchanged, async (realm) => {
      const { status, hint } = await refusalOf(verified(serviceIn(realm, 'service-a'), await tokenForB(realm)));
      expect(status).toBe(401);
      expect(hint).toMatch(/The token is for service-b, but this service is service-a\..* correct clientId/);
      expect(hint).toMatch(/Don't add a mapper for service-a/);
    }));

  it.each([
    [
      'demands https',
      { sslRequired: 'all' },
      'answered_403_invalid_request',
      /^The realm requires https: .*Require SSL/,
    ],
    ['is disabled', { enabled: false }, 'answered_403_access_denied', /^The realm is disabled\. Enable it/],
  ])(
    'names the cause if the realm %s, both at the start of a service and later (rows 30, 31)',
    (_, settings, reason, hint) =>
      withRealm(unchanged, async (realm) => {
        const token = await tokenForB(realm);
        const [running, starting] = [serviceIn(realm, 'service-b'), serviceIn(realm, 'service-b')];
        await verified(running, token);
        await realm.administrator.change('PUT', '', settings);
        const expected = ours(reason, hint);
        expect(await refusalOf(verified(running, token))).toEqual(expected);
        expect(await refusalOf(running.clientCredentials.getToken('analytics.run'))).toEqual(expected);
        expect(await refusalOf(verified(starting, token))).toEqual(expected);
      }),
  );

  it('names the default scope that makes every exchange fail, and the client with this scope (row 32)', () =>
    withRealm(
      (realm) => clientIn(realm, 'service-a').defaultClientScopes.push('inventory.adjust'),
      async (realm) => {
        const a = serviceIn(realm, 'service-a');
        const alice = await a.verifier.verify(textOf(await login(realm, 'alice')));
        const exchange = a.tokenExchange.exchange(alice, { audience: 'service-b', scope: 'orders.approve' });
        expect(await refusalOf(exchange)).toEqual(
          ours(
            'scope_not_asked_for',
            /^Keycloak adds inventory\.adjust unasked to each token of service-a\. .*optional client scope/,
          ),
        );
      },
    ));

  it('names the new issuer after a change of the Frontend URL (row 35)', () =>
    withRealm(unchanged, async (realm) => {
      const b = serviceIn(realm, 'service-b');
      const before = await tokenForB(realm);
      await verified(b, before);
      const { attributes } = await realm.administrator.read<{ attributes: object }>('');
      const frontendUrl = 'http://keycloak.example:8080';
      await realm.administrator.change('PUT', '', { attributes: { ...attributes, frontendUrl } });
      expect(await refusalOf(verified(b, await tokenForB(realm)))).toMatchObject({
        status: 401,
        reason: 'other_issuer',
        hint: expect.stringMatching(
          /issuer of the realm is http:\/\/keycloak\.example:8080\/.* KC_HOSTNAME back/,
        ) as unknown,
      });
      const { reason, hint } = await refusalOf(verified(b, before));
      expect([reason, hint]).toEqual(['inactive', expect.stringMatching(/the realm has a new issuer/)]);
    }));

  it('names a removed signing key if the service verifies signatures (row 37)', () =>
    withRealm(unchanged, async (realm) => {
      const b = serviceIn(realm, 'service-b', { verification: 'jwt', jwt: jwtVerification() });
      const before = await tokenForB(realm);
      await verified(b, before);
      const { id: parentId } = await realm.administrator.read<{ id: string }>('');
      const type = 'org.keycloak.keys.KeyProvider';
      const old = await realm.administrator.read<{ id: string; providerId: string }[]>(`/components?type=${type}`);
      const config = { priority: ['200'], enabled: ['true'], active: ['true'], algorithm: ['RS256'] };
      const key = { name: 'new', parentId, providerId: 'rsa-generated', providerType: type, config };
      await realm.administrator.create('/components', key);
      for (const { id, providerId } of old) {
        if (providerId === 'rsa') await realm.administrator.change('DELETE', `/components/${id}`);
      }
      // A token with the new key makes the service fetch the keys again.
      await verified(b, await tokenForB(realm));
      expect(await refusalOf(verified(b, before))).toMatchObject({
        status: 401,
        reason: 'signing_key_unknown',
        hint: expect.stringMatching(/Keycloak has removed that key, or the token is forged/) as unknown,
      });
    }));

  it.each([
    ['ahead', 600, 'expired', /clock is ahead of Keycloak's by (at least )?\d{3} s/],
    ['behind', -600, 'issued_in_the_future', /clock is behind Keycloak's by (at least )?(599|600|601) s/],
  ])(
    "names the service's clock as the cause if the clock is ten minutes %s (rows 25, 26, 36)",
    (_, aheadSeconds, reason, hint) =>
      withRealm(unchanged, async (realm) => {
        const b = serviceIn(realm, 'service-b', {}, aheadSeconds);
        expect(await refusalOf(verified(b, await tokenForB(realm)))).toMatchObject({
          status: 401,
          reason,
          hint: expect.stringMatching(hint) as unknown,
        });
      }),
  );
});

describe('a call of Service A to Service B', () => {
  const stops: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0).toReversed()) await stop();
  });

  async function chainWith(urlOfB: (chain: RunningServices) => string | Promise<string>): Promise<RunningServices> {
    const chain = await RunningServices.start({ only: ['service-b', 'service-c'], direct: true });
    stops.push(() => chain.stop());
    const variables = { SERVICE_B_URL: await urlOfB(chain) };
    const services = await RunningServices.start({ only: ['service-a'], direct: true, variables });
    stops.push(() => services.stop());
    return services;
  }

  const lineOf = (services: RunningServices): Readonly<Record<string, unknown>> => {
    const lines = services
      .printed()
      .split('\n')
      .filter((line) => line.includes('"called":"service-b"'));
    return JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown>;
  };

  it('is answered 404 at a wrong address, and the log says which parts of the URL to compare (row 33)', async () => {
    const services = await chainWith((chain) => chain.c.url);
    const { body } = await request(services.a.url).get('/run-service-b').expect(502);
    expect(body).toMatchObject({ code: 'service_failed' });
    expect(lineOf(services)).toMatchObject({
      reason: 'answered_404',
      hint: expect.stringMatching(
        /another service answers at its address\. Compare the host, the port and the path/,
      ) as unknown,
    });
  });

  it("is answered 401 if Service B has Service A's client id, and both services log the cause (row 29)", async () => {
    const own = { 'service-b': { SERVICE_B_CLIENT_ID: 'service-a', SERVICE_B_CLIENT_SECRET: SECRETS['service-a'] } };
    const services = await RunningServices.start({ direct: true, own });
    stops.push(() => services.stop());
    const { body } = await request(services.a.url).get('/run-service-b').expect(502);
    expect(body).toMatchObject({ code: 'service_refused' });
    expect(lineOf(services)).toMatchObject({
      reason: 'answered_401',
      hint: expect.stringMatching(
        /says that it is service-a, but the token is for service-b\..* service-b runs with the client id of service-a/,
      ) as unknown,
    });
    expect(services.printed()).toMatch(/The token is for service-b, but this service is service-a\./);
  });

  it('is answered 401 if a proxy removes the token, and the log names this cause (row 34)', async () => {
    const services = await chainWith(async ({ b }) => {
      const proxy = await startFakeService((incoming, response) => {
        const { authorization: _, ...headers } = incoming.headers;
        const { url: path, method } = incoming;
        const onward = httpRequest(new URL(path ?? '/', b.url), { method, headers }, (answer) => {
          response.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(response);
        });
        incoming.pipe(onward);
      });
      stops.push(() => proxy.stop());
      return proxy.url;
    });
    const { body } = await request(services.a.url).get('/run-service-b').expect(502);
    expect(body).toMatchObject({ code: 'service_refused' });
    expect(lineOf(services)).toMatchObject({
      reason: 'answered_401',
      answer: { code: 'missing_token' },
      hint: expect.stringMatching(/as if the request had no token\. .* removes the Authorization header/) as unknown,
    });
  });
});
