import { expect, it } from '@jest/globals';
import { KeycloakException, type VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { describeOnKeycloak } from '../../libs/keycloak-test-servers/contract/describe-servers.js';
import { login, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import type { ComposedKeycloak } from '../../libs/keycloak/src/module/compose-keycloak.js';
import { composedIn } from '../support/composed-in.js';
import {
  clientIn,
  scopeIn,
  takeRole,
  unchanged,
  withRealm,
  type RealmCopy,
  type RealmFile,
} from '../support/realm-copy.js';
import { findsActiveWhoeverAsks } from '../support/keycloak-version.js';

const tokenOf = async (realm: RealmCopy, user: string): Promise<string> => textOf(await login(realm, user));

async function callerAt(a: ComposedKeycloak, realm: RealmCopy, user: string): Promise<VerifiedAccessToken> {
  return a.verifier.verify(await tokenOf(realm, user));
}

async function logged(failing: Promise<unknown>): Promise<object> {
  const error = await failing.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof KeycloakException)) throw new Error('nothing was refused', { cause: error });
  const { code, reason, permission, fields, httpStatus } = error;
  expect(JSON.stringify(error.toBody(true))).not.toMatch(/description|endpoint|audience":/);
  return { code, reason, permission, httpStatus, ...fields };
}

const OURS = { code: 'authorization_server_refused', httpStatus: 502 };
const TO_B = { audience: 'service-b', scope: 'orders.approve' };

describeOnKeycloak('the log of the service that causes a fault', () => {
  it("contains Keycloak's error for a wrong secret, and the client's name (rows 1, 2)", () =>
    withRealm(unchanged, async (realm) => {
      const a = composedIn(realm, 'service-a', { clientSecret: 'not-the-secret' });
      const endpoint = `${realm.issuer}/protocol/openid-connect/token`;
      const line = await logged(a.clientCredentials.getToken('orders.approve'));
      expect(line).toMatchObject({
        ...OURS,
        client: 'service-a',
        endpoint,
        description: expect.stringMatching(/invalid client/i) as unknown,
      });
      expect(JSON.stringify(line)).not.toContain('not-the-secret');
      expect(await a.health.ready()).toMatchObject({ reachable: false, code: 'authorization_server_refused' });
    }));

  it('names a wrong issuer, an unknown realm, or an unreachable address', () =>
    withRealm(unchanged, async (realm) => {
      const path = new URL(realm.issuer).pathname;
      const other = `http://keycloak.example:8080${path}`;
      const mismatch = composedIn({ ...realm, issuer: other }, 'service-a').clientCredentials.getToken(
        'orders.approve',
      );
      expect(await logged(mismatch)).toMatchObject({
        ...OURS,
        reason: 'issuer_mismatch',
        configured: other,
        found: realm.issuer,
      });
      const misspelt = composedIn({ ...realm, issuer: `${realm.issuer}x` }, 'service-a');
      expect(await logged(misspelt.clientCredentials.getToken('x'))).toMatchObject({
        ...OURS,
        reason: 'realm_not_found',
        endpoint: expect.stringContaining(`${path}x`) as unknown,
      });
      const nobody = composedIn({ ...realm, baseUrl: 'http://127.0.0.1:9' }, 'service-a', { maxRetries: 0 });
      expect(await logged(nobody.clientCredentials.getToken('x'))).toMatchObject({
        code: 'authorization_server_unavailable',
        reason: 'ECONNREFUSED',
        endpoint: expect.stringContaining('http://127.0.0.1:9/') as unknown,
      });
    }));

  it.each<[string, (realm: RealmFile) => unknown, { audience: string; scope: string }, object]>([
    [
      'a scope that is not assigned to this client',
      (realm) => clientIn(realm, 'service-a').optionalClientScopes.splice(0, 99),
      TO_B,
      { reason: 'answered_400_invalid_scope', description: 'Invalid scopes: orders.approve' },
    ],
    [
      'a client that may not exchange tokens',
      (realm) => delete clientIn(realm, 'service-a').attributes['standard.token.exchange.enabled'],
      TO_B,
      { description: 'Standard token exchange is not enabled for the requested client' },
    ],
    [
      'an audience that does not exist',
      unchanged,
      { ...TO_B, audience: 'service-x' },
      { reason: 'answered_400_invalid_client', audience: 'service-x', description: 'Audience not found' },
    ],
    [
      'an audience whose client is disabled',
      (realm) => (clientIn(realm, 'service-b').enabled = false),
      TO_B,
      { audience: 'service-b', description: expect.stringMatching(/disabled/i) as unknown },
    ],
    [
      'an audience that differs from the audience of the scope',
      unchanged,
      { ...TO_B, audience: 'service-c' },
      { reason: 'audience_mismatch', audience: 'service-c', found: 'service-b' },
    ],
    [
      'a missing audience mapper',
      (realm) => (scopeIn(realm, 'orders.approve').protocolMappers = []),
      TO_B,
      { reason: 'audience_mapper_missing', audience: 'service-b' },
    ],
  ])('names the cause of a failed exchange: %s', (_, change, target, expected) =>
    withRealm(change, async (realm) => {
      const a = composedIn(realm, 'service-a');
      const alice = await callerAt(a, realm, 'alice');
      expect(await logged(a.tokenExchange.exchange(alice, target))).toMatchObject({
        ...OURS,
        grant: 'token_exchange',
        scope: 'orders.approve',
        ...expected,
      });
    }),
  );

  it('names the scope if the service account is disabled or lacks the role', async () => {
    const noAccount = (realm: RealmFile): void => void (clientIn(realm, 'service-a').serviceAccountsEnabled = false);
    await withRealm(noAccount, async (realm) => {
      const line = await logged(composedIn(realm, 'service-a').clientCredentials.getToken('orders.approve'));
      expect(line).toMatchObject({
        ...OURS,
        grant: 'client_credentials',
        scope: 'orders.approve',
        client: 'service-a',
      });
      expect(line).toMatchObject({ description: expect.stringMatching(/service account/i) as unknown });
    });
    await withRealm(
      (realm) => takeRole(realm, 'orders.approve'),
      async (realm) => {
        expect(await logged(composedIn(realm, 'service-a').clientCredentials.getToken('orders.approve'))).toMatchObject(
          {
            ...OURS,
            reason: 'scope_not_granted',
            scope: 'orders.approve',
          },
        );
      },
    );
  });

  it('names the user as the cause if the user does not have the permission', () =>
    withRealm(unchanged, async (realm) => {
      const a = composedIn(realm, 'service-a');
      const bob = await callerAt(a, realm, 'bob');
      expect(await logged(a.tokenExchange.exchange(bob, TO_B))).toMatchObject({
        code: 'insufficient_scope',
        httpStatus: 403,
        permission: 'orders.approve',
        reason: 'permission_not_granted_to_subject',
      });
      const alice = await callerAt(a, realm, 'alice');
      expect((await a.tokenExchange.exchange(alice, TO_B)).scope).toContain('orders.approve');
    }));

  it('names the audience of a token for another service', () =>
    withRealm(unchanged, async (realm) => {
      const atB = composedIn(realm, 'service-b').verifier.verify(await tokenOf(realm, 'alice'));
      const { reason, hint, unverified } = (await logged(atB)) as {
        reason: string;
        hint: string;
        unverified?: object;
      };
      const seenHere = { reason: 'other_audience', unverified: undefined };
      const seenByKeycloak = {
        reason: 'inactive',
        unverified: { issMatches: true, audMatches: false, aud: 'service-a', azp: 'demo-cli' },
      };
      expect({ reason, unverified }).toMatchObject(findsActiveWhoeverAsks() ? seenHere : seenByKeycloak);
      expect(hint).toMatch(/The token is for service-a, but this service is service-b\. .*correct clientId/);
    }));

  it.each([
    ['ahead', 3600, 'expired', /ahead of Keycloak's by (at least )?3[23]\d\d s|ahead of Keycloak's by 3600 s/],
    ['behind', -60, 'issued_in_the_future', /behind Keycloak's by (at least )?(59|60|61) s/],
  ])(
    'names the clock of the service as the cause if the clock is %s (rows 25, 26, 27)',
    (_, aheadSeconds, reason, hint) =>
      withRealm(unchanged, async (realm) => {
        const a = composedIn(realm, 'service-a', {}, aheadSeconds);
        const alice = await tokenOf(realm, 'alice');
        expect(await logged(a.verifier.verify(alice))).toMatchObject({
          reason,
          hint: expect.stringMatching(hint) as unknown,
        });
        await a.clientCredentials.getToken('orders.approve').catch(() => undefined);
        expect(await logged(a.verifier.verify(await tokenOf(realm, 'bob')))).toMatchObject({
          hint: expect.stringMatching(/measured by/) as unknown,
        });
      }),
  );
});
