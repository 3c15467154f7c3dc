/** Most of these tokens come from mappers, because Keycloak 26.8, which issues `act` itself, could not be tried. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AccessTokenVerifier, type VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import request from 'supertest';
import { Administrator } from '../../libs/keycloak-test-servers/contract/administrator.js';
import { Browser } from '../../libs/keycloak-test-servers/contract/browser.js';
import { redeem } from '../../libs/keycloak-test-servers/contract/code-cases.js';
import { claimsOf, realmOf } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { describeOnKeycloak } from '../../libs/keycloak-test-servers/contract/describe-servers.js';
import { authorizationRequest, codeOf } from '../../libs/keycloak-test-servers/contract/login-browser.js';
import { exchangeForB, introspect, login, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import type { ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { startChangedRealm } from '../support/changed-realm.js';
import { clientIn, type RealmFile } from '../support/realm-copy.js';
import type { RunningService } from '../support/running-service.js';
import { RunningServices } from '../support/running-services.js';

const CHAIN = { 'act.sub': 'email', 'act.client_id': 'username', 'act.act.sub': 'username' };

type Shown = 'in the token' | 'by introspection';

const mappers = (claims: Readonly<Record<string, string>>, shown: Shown): object[] =>
  Object.entries(claims).map(([claim, attribute]) => ({
    name: claim,
    protocol: 'openid-connect',
    protocolMapper: 'oidc-usermodel-attribute-mapper',
    config: {
      'user.attribute': attribute,
      'claim.name': claim,
      'jsonType.label': 'String',
      'access.token.claim': String(shown === 'in the token'),
      'introspection.token.claim': String(shown === 'by introspection'),
      'id.token.claim': 'false',
    },
  }));

function addClients(realm: RealmFile): void {
  const client = clientIn(realm, 'demo-cli');
  realm.clients.push(
    { ...client, clientId: 'delegated', protocolMappers: mappers(CHAIN, 'in the token') },
    { ...client, clientId: 'impersonated', protocolMappers: mappers({ 'act.sub': 'username' }, 'by introspection') },
    { ...client, clientId: 'malformed', protocolMappers: mappers({ act: 'username' }, 'in the token') },
  );
}

let server: ContractServer;
let services: RunningServices;
let signing: RunningServices;

beforeAll(async () => {
  server = await startChangedRealm(addClients);
  services = await RunningServices.start({ server, only: ['service-a'], variables: { REQUEST_LOG: 'true' } });
  signing = await RunningServices.start({
    server,
    only: ['service-a'],
    variables: { TOKEN_VERIFICATION: 'jwt' },
  });
});
afterAll(async () => {
  await signing.stop();
  await services.stop();
  await server.stop();
});

const tokenOf = async (username: string, client: string): Promise<string> =>
  textOf(await login(server, username, 'openid orders.read', client));

const verified = (service: RunningService, text: string): Promise<VerifiedAccessToken> =>
  service.app.get(AccessTokenVerifier, { strict: false }).verify(text);

const lines = (): Record<string, unknown>[] =>
  services
    .printed()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('the actor of a token (RFC 8693 section 4.1)', () => {
  it('is read from the token if the introspection result omits it, as after a delegation', async () => {
    const text = await tokenOf('alice', 'delegated');
    const { email } = claimsOf(text);
    expect((await introspect(server, 'service-a', text)).members).not.toHaveProperty('act');
    const actor = { subject: email, clientId: 'alice', previous: { subject: 'alice' } };
    expect((await verified(services.a, text)).actor).toEqual(actor);
    expect((await verified(signing.a, text)).actor).toEqual(actor);
  });

  it('is read from the introspection result if the token omits it, as after an impersonation', async () => {
    const text = await tokenOf('alice', 'impersonated');
    expect(claimsOf(text)).not.toHaveProperty('act');
    expect((await verified(services.a, text)).actor).toEqual({ subject: 'alice' });
    expect((await verified(signing.a, text)).actor).toBeUndefined();
  });

  it('is absent from other tokens', async () => {
    expect((await verified(services.a, await tokenOf('alice', 'demo-cli'))).actor).toBeUndefined();
  });

  it('causes a refusal if it is malformed', async () => {
    const text = await tokenOf('alice', 'malformed');
    for (const { a } of [services, signing]) {
      expect(await a.whoami(text)).toMatchObject({ status: 401, code: 'invalid_token', reason: 'act_malformed' });
    }
  });

  it('is in the audit line and the request log, and grants no permission', async () => {
    const text = await tokenOf('bob', 'delegated');
    await request(services.a.url).get('/run-service-b').auth(text, { type: 'bearer' }).expect(403);
    const { sub, email } = claimsOf(text);
    expect(lines().findLast(({ message }) => message === 'Request refused')).toMatchObject({
      audit: 'denial',
      permission: 'orders.approve',
      sub,
      actor: { azp: 'bob', sub: email, actor: { sub: 'bob' } },
    });
    const logged = () => lines().find(({ message, status }) => message === 'Request answered' && status === 403);
    while (logged() === undefined) await sleep(5);
    expect(logged()).toMatchObject({
      azp: 'delegated',
      actor: { azp: 'bob', subjectHash: expect.stringMatching(/^[\da-f]{16}$/) as unknown },
    });
    expect(JSON.stringify(logged())).not.toContain(String(email));
  });
});

/** The embedded server has no impersonation. */
describeOnKeycloak('a user whom an administrator impersonates', () => {
  async function impersonated(username: string): Promise<string> {
    const { baseUrl, issuer } = server;
    const browser = new Browser();
    const Authorization = `Bearer ${await new Administrator(baseUrl, realmOf(issuer)).token()}`;
    const headers = { Accept: 'application/json', Authorization };
    const user = `${baseUrl}/admin/realms/${realmOf(issuer)}/users/${await server.subjectOf(username)}`;
    const { status } = await browser.send(`${user}/impersonation`, { method: 'POST', headers, form: {} });
    expect(status).toBe(200);
    const client = await server.newClient('web');
    const path = `/protocol/openid-connect/auth?${authorizationRequest(client, { prompt: 'none' })}`;
    return textOf(await redeem(server, client, codeOf(await browser.send(issuer + path))));
  }

  it('is shown with the administrator, also by the token that is exchanged for the next service', async () => {
    const text = await impersonated('alice');
    expect(await verified(services.a, text)).toMatchObject({ username: 'alice', actor: { subject: 'admin' } });
    const exchanged = await exchangeForB(server, text);
    expect((await introspect(server, 'service-b', exchanged)).members).toMatchObject({ act: { sub: 'admin' } });
  });
});
