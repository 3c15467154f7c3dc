import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Whoami } from 'service-defaults';
import request from 'supertest';
import { claimsOf } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import {
  type Reply,
  clientCredentials,
  exchange,
  login,
  logout,
  revoke,
  textOf,
} from '../../libs/keycloak-test-servers/contract/requests.js';
import { connectToKeycloak, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { sha256 } from '../support/running-service.js';
import { RunningServices } from '../support/running-services.js';

const CHAIN_ANSWER = {
  service_b: 'Order 9876 processed by Service B',
  service_c: { result: 20, msg: 'Service C successfully processed request' },
};
const ORDER = { order_id: 9876, amount: 1500 };
const ADJUSTMENT = { sku: 'A-1', quantity: 1 };

let chain: RunningServices;
let keycloak: ContractServer;
const tokens = { a: '', exchanged: '', alice: '', bob: '', withoutAudience: '', warehouse: '' };
let aliceAnswer: Reply;

beforeAll(async () => {
  chain = await RunningServices.start();
  keycloak = await connectToKeycloak();
  const asA = await clientCredentials(keycloak, 'service-a', 'orders.approve');
  tokens.a = textOf(asA);
  tokens.withoutAudience = textOf(await clientCredentials(keycloak, 'service-a'));
  tokens.warehouse = textOf(await clientCredentials(keycloak, 'warehouse', 'inventory.adjust'));
  tokens.exchanged = textOf(
    await exchange(keycloak, 'service-b', tokens.a, { audience: 'service-c', scope: 'analytics.run' }),
  );
  aliceAnswer = await login(keycloak, 'alice');
  tokens.alice = textOf(aliceAnswer);
  tokens.bob = textOf(await login(keycloak, 'bob'));
});

afterAll(async () => {
  await keycloak.stop();
  await chain.stop();
});

const bearer = (token: string): string => `Bearer ${token}`;
const runChain = (): request.Test => request(chain.a.url).get('/run-service-b');
const processOrder = (token: string): request.Test =>
  request(chain.b.url).post('/api/process').set('Authorization', bearer(token)).send(ORDER);
const adjust = (token: string): request.Test =>
  request(chain.b.url).post('/api/inventory/adjust').set('Authorization', bearer(token)).send(ADJUSTMENT);
const compute = (token: string): request.Test =>
  request(chain.c.url).post('/api/compute').set('Authorization', bearer(token)).send({ value: 10 });
const whoami = (url: string, token: string): request.Test =>
  request(url).get('/api/whoami').set('Authorization', bearer(token));

describe('the chain', () => {
  it('acts as service-a for a request from curl, and answers with JSON', async () => {
    const { text } = await runChain().set('Accept', '*/*').expect(200).expect('Content-Type', /json/);
    expect(text).toBe(JSON.stringify(CHAIN_ANSWER));
  });

  it('shows a browser the same answers on a page', async () => {
    const { text } = await runChain()
      .set('Accept', 'text/html,application/xhtml+xml,*/*;q=0.8')
      .expect(200)
      .expect('Content-Type', /html/)
      .expect('Vary', /Accept/);
    expect(text).toContain(CHAIN_ANSWER.service_b);
    expect(text).toContain(CHAIN_ANSWER.service_c.msg);
  });

  it('has a start page with a link that runs the chain', async () => {
    const { text } = await request(chain.a.url).get('/').expect(200).expect('Content-Type', /html/);
    expect(text).toContain('<a class="btn btn-primary" href="/run-service-b">Call Service B</a>');
  });

  it('uses one token per service, with the audience of the service and the subject of the user (TX-01, TX-03)', async () => {
    const user = await login(keycloak, 'alice');
    const { calls } = await chain.keycloak.during(() =>
      runChain()
        .set('Authorization', bearer(textOf(user)))
        .expect(200, CHAIN_ANSWER),
    );
    const [introspectedAtA, exchangedByA, introspectedAtB, exchangedByB, introspectedAtC] = calls;
    const { sub, sid } = claimsOf(textOf(user));
    expect(calls.map(({ client, endpoint }) => [client, endpoint])).toEqual([
      ['service-a', 'token/introspect'],
      ['service-a', 'token'],
      ['service-b', 'token/introspect'],
      ['service-b', 'token'],
      ['service-c', 'token/introspect'],
    ]);
    expect(introspectedAtA?.answer).toMatchObject({ active: true, aud: 'service-a', azp: 'demo-cli', sub, sid });
    expect(introspectedAtB?.answer).toMatchObject({ active: true, aud: 'service-b', azp: 'service-a', sub, sid });
    expect(introspectedAtC?.answer).toMatchObject({ active: true, aud: 'service-c', azp: 'service-b', sub, sid });
    expect(String(introspectedAtC?.answer['scope']).split(' ').toSorted()).toEqual([
      'analytics.run',
      'email',
      'profile',
    ]);
    const type = 'urn:ietf:params:oauth:token-type:access_token';
    for (const [call, audience, scope] of [
      [exchangedByA, 'service-b', 'orders.approve'],
      [exchangedByB, 'service-c', 'analytics.run'],
    ] as const) {
      expect(Object.fromEntries(call?.form ?? [])).toEqual({
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: expect.any(String),
        subject_token_type: type,
        requested_token_type: type,
        audience,
        scope,
      });
    }
  });

  it('does not forward a received token to the called service (TX-04)', async () => {
    await runChain().set('Authorization', bearer(tokens.alice)).expect(200);
    const at = [chain.a, chain.b, chain.c].map(({ arrivedTokens }) => arrivedTokens.at(-1));
    expect(at[0]).toBe(sha256(tokens.alice));
    expect(new Set(at).size).toBe(3);
    for (const arrivedAtC of chain.c.arrivedTokens) expect(chain.b.arrivedTokens).not.toContain(arrivedAtC);
    for (const arrivedAtB of chain.b.arrivedTokens) expect(chain.a.arrivedTokens).not.toContain(arrivedAtB);
  });

  it('reuses the tokens of an earlier request', async () => {
    await runChain().expect(200);
    const { calls } = await chain.keycloak.during(() => Promise.all([runChain().expect(200), runChain().expect(200)]));
    expect(calls.filter(({ endpoint }) => endpoint === 'token')).toEqual([]);
  });

  it('refuses bob, and names the permission that bob lacks (TX-07)', async () => {
    const { body, headers } = await runChain().set('Authorization', bearer(tokens.bob)).expect(403);
    expect(body).toMatchObject({
      error: 'Insufficient permission',
      code: 'insufficient_scope',
      permission: 'orders.approve',
    });
    // Service A exchanges the token, so a login with this scope would not help.
    expect(headers['www-authenticate']).toBe('Bearer realm="service-a", error="insufficient_scope"');
  });

  it('shows bob a page that names the missing permission', async () => {
    const { text } = await runChain().set('Authorization', bearer(tokens.bob)).set('Accept', 'text/html').expect(403);
    expect(text).toContain('Permission orders.approve is missing.');
  });

  it('refuses a token whose login did not request the scope orders.read', async () => {
    const withoutScope = await login(keycloak, 'alice', 'openid');
    const audienceOnly = await whoami(chain.a.url, textOf(withoutScope));
    expect(audienceOnly.status).toBe(401);
    await runChain()
      .set('Authorization', bearer(textOf(withoutScope)))
      .expect(401);
  });

  it('refuses an invalid token instead of running as service-a', async () => {
    for (const token of ['junk', tokens.a, tokens.exchanged, tokens.withoutAudience]) {
      const { calls } = await chain.keycloak.during(() => runChain().set('Authorization', bearer(token)).expect(401));
      expect(calls.filter(({ endpoint }) => endpoint === 'token')).toEqual([]);
    }
    await runChain().set('Authorization', 'Basic c2VydmljZS1hOmEtc2VjcmV0').expect(401);
  });

  it('shows what each service knows about the caller', async () => {
    const { sub } = claimsOf(tokens.alice);
    const atA = (await whoami(chain.a.url, tokens.alice).expect(200)).body as Whoami;
    expect(atA).toMatchObject({
      subject: sub,
      username: 'alice',
      email: 'alice@example.com',
      roles: ['order-manager'],
      caller: 'demo-cli',
      audience: ['service-a'],
    });
    expect(atA.permissions).toContain('orders.read');
    const forB = await exchange(keycloak, 'service-a', tokens.alice, {
      audience: 'service-b',
      scope: 'orders.approve',
    });
    const forC = await exchange(keycloak, 'service-b', textOf(forB), { audience: 'service-c', scope: 'analytics.run' });
    const atC = (await whoami(chain.c.url, textOf(forC)).expect(200)).body as Whoami;
    expect(atC).toMatchObject({ subject: sub, username: 'alice', caller: 'service-b', audience: ['service-c'] });
    expect(atC.permissions).not.toContain('orders.read');
  });

  it('reads an order, and answers 404 for an unknown order', async () => {
    const read = (id: string): request.Test =>
      request(chain.a.url).get(`/api/orders/${id}`).set('Authorization', bearer(tokens.bob));
    await read('9876').expect(200, ORDER);
    await read('1').expect(404, { error: 'No such order', code: 'order_not_found' });
    expect((await read('__proto__')).status).toBe(404);
  });
});

describe('Service B', () => {
  it('adjusts the inventory for the client warehouse', async () => {
    const { calls, result } = await chain.keycloak.during(() => adjust(tokens.warehouse).expect(200));
    expect(result.body).toMatchObject({ sku: 'A-1', quantity: expect.any(Number) });
    expect(calls.map(({ client, endpoint }) => [client, endpoint])).toEqual([['service-b', 'token/introspect']]);
  });

  it('refuses a token without inventory.adjust, which Keycloak does not grant to service-a (TX-07)', async () => {
    expect(await clientCredentials(keycloak, 'service-a', 'inventory.adjust')).toMatchObject({
      status: 400,
      members: { error: 'invalid_scope' },
    });
    const { body, headers } = await adjust(tokens.a).expect(403);
    expect(body).toMatchObject({ code: 'insufficient_scope', permission: 'inventory.adjust' });
    expect(headers['www-authenticate']).toContain('error="insufficient_scope", scope="inventory.adjust"');
  });

  it('checks the permission of a token before the client of the token', async () => {
    await processOrder(tokens.warehouse)
      .expect(403)
      .expect(({ body }) => expect(body).toMatchObject({ code: 'insufficient_scope', permission: 'orders.approve' }));
  });
});

describe('the services', () => {
  const expectInvalid = async (test: request.Test, service: string): Promise<void> => {
    const { body, headers } = await test.expect(401);
    expect(body).toMatchObject({ error: 'Invalid token', code: 'invalid_token' });
    expect(headers['www-authenticate']).toBe(`Bearer realm="${service}", error="invalid_token"`);
  };

  it('send a challenge without an error code if a request has no token (RS-02)', async () => {
    const { body, headers } = await request(chain.b.url).post('/api/process').send(ORDER).expect(401);
    expect(body).toMatchObject({ error: 'Missing token', code: 'missing_token' });
    expect(headers['www-authenticate']).toBe('Bearer realm="service-b"');
  });

  it('refuse a text that is not a token (RS-03)', () => expectInvalid(processOrder('junk'), 'service-b'));

  it('refuse a token for Service B at Service C (RS-06)', () => expectInvalid(compute(tokens.a), 'service-c'));

  it('refuse a token for Service C at Service B (RS-06)', () =>
    expectInvalid(processOrder(tokens.exchanged), 'service-b'));

  it('refuse a token for Service C at Service A (RS-06)', () =>
    expectInvalid(whoami(chain.a.url, tokens.exchanged), 'service-a'));

  it('refuse a token without audience (RS-06)', () => expectInvalid(processOrder(tokens.withoutAudience), 'service-b'));

  it("refuse alice's token for Service A at Services B and C (RS-06)", async () => {
    await expectInvalid(processOrder(tokens.alice), 'service-b');
    await expectInvalid(compute(tokens.alice), 'service-c');
  });

  it('refuse an ID token or a refresh token in place of an access token (RS-08)', async () => {
    await expectInvalid(whoami(chain.a.url, textOf(aliceAnswer, 'id_token')), 'service-a');
    await expectInvalid(whoami(chain.a.url, textOf(aliceAnswer, 'refresh_token')), 'service-a');
  });

  it('refuse a token of another realm (RS-07)', async () => {
    await expectInvalid(whoami(chain.a.url, await keycloak.administrator.token()), 'service-a');
  });

  it('refuse a token whose content was changed', async () => {
    const [header, payload, signature = ''] = tokens.a.split('.');
    const other = signature.startsWith('A') ? 'B' : 'A';
    await expectInvalid(processOrder(`${header}.${payload}.${other}${signature.slice(1)}`), 'service-b');
    const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url');
    await expectInvalid(processOrder(`${none}.${payload}.`), 'service-b');
  });

  it('refuse a revoked token', async () => {
    const access_token = textOf(await clientCredentials(keycloak, 'service-a', 'orders.approve'));
    await processOrder(access_token).expect(200);
    await revoke(keycloak, 'service-a', access_token);
    await expectInvalid(processOrder(access_token), 'service-b');
  });

  it("refuse a user's tokens at Services A and B after the user's logout", async () => {
    const user = await login(keycloak, 'alice');
    const forB = await exchange(keycloak, 'service-a', textOf(user), {
      audience: 'service-b',
      scope: 'orders.approve',
    });
    await processOrder(textOf(forB)).expect(200);
    await logout(keycloak, textOf(user, 'refresh_token'));
    await expectInvalid(whoami(chain.a.url, textOf(user)), 'service-a');
    await expectInvalid(processOrder(textOf(forB)), 'service-b');
  });

  it('refuse an expired token (RS-07)', async () => {
    const client = await keycloak.newClient('login', { 'access.token.lifespan': '2' });
    const access_token = textOf(await login(keycloak, 'alice', 'orders.read', client));
    await whoami(chain.a.url, access_token).expect(200);
    let status = 200;
    for (let tries = 0; tries < 100 && status === 200; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      ({ status } = await whoami(chain.a.url, access_token));
    }
    await expectInvalid(whoami(chain.a.url, access_token), 'service-a');
  });

  it('refuse a request whose only token is in the query or form (RS-01)', async () => {
    const { calls } = await chain.keycloak.during(async () => {
      await request(chain.a.url).get('/api/whoami').query({ access_token: tokens.alice }).expect(401);
      await request(chain.a.url).get('/run-service-b').query({ access_token: tokens.alice }).expect(401);
      await request(chain.b.url).post('/api/process').type('form').send({ access_token: tokens.a }).expect(401);
    });
    expect(calls).toEqual([]);
  });

  it('answer 400 to a second token in the query or form (RS-01)', async () => {
    const { calls } = await chain.keycloak.during(async () => {
      const { body, headers } = await whoami(chain.a.url, tokens.alice).query({ access_token: 'x' }).expect(400);
      expect(body).toMatchObject({ error: 'Invalid request', code: 'invalid_request' });
      expect(headers['www-authenticate']).toBe('Bearer realm="service-a", error="invalid_request"');
      await processOrder(tokens.a).type('form').send({ access_token: 'x' }).expect(400);
    });
    expect(calls).toEqual([]);
  });

  it('refuse a request that has two Authorization headers with a valid token (RS-03)', async () => {
    const body = JSON.stringify(ORDER);
    const answer = await new Promise<{ status: number; body: unknown }>((resolve, reject) => {
      const sent = httpRequest(`${chain.b.url}/api/process`, {
        method: 'POST',
        headers: [
          ['Host', 'localhost'],
          ['Content-Type', 'application/json'],
          ['Content-Length', String(body.length)],
          ['Authorization', bearer(tokens.a)],
          ['Authorization', bearer(tokens.a)],
        ].flat(),
      });
      sent.on('error', reject);
      sent.on('response', (response) => {
        void json(response).then((parsed) => resolve({ status: response.statusCode ?? 0, body: parsed }), reject);
      });
      sent.end(body);
    });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });

  it('refuse a junk token even if 2,500 other headers precede the Authorization header (RS-03)', async () => {
    const many = Array.from({ length: 2500 }, () => ['a', '']);
    const status = await new Promise<number | undefined>((resolve, reject) => {
      httpRequest(`${chain.a.url}/run-service-b`, {
        headers: [['Host', 'localhost'], ...many, ['Authorization', bearer('junk')]].flat(),
      })
        .on('error', reject)
        .on('response', (response) => {
          response.resume();
          resolve(response.statusCode);
        })
        .end();
    });
    expect(status).toBe(401);
  });

  it('answer 400 to a malformed Authorization header (RS-03)', async () => {
    for (const header of ['Bearer', 'Bearer a b', '=']) {
      const { body } = await request(chain.b.url).post('/api/process').set('Authorization', header).expect(400);
      expect(body).toMatchObject({ code: 'invalid_request' });
    }
  });

  it('cannot exchange a token whose audience is another service', async () => {
    expect(
      await exchange(keycloak, 'service-c', tokens.exchanged, { audience: 'service-b', scope: 'orders.approve' }),
    ).toMatchObject({
      status: 400,
    });
    expect(
      await exchange(keycloak, 'service-b', tokens.alice, { audience: 'service-c', scope: 'analytics.run' }),
    ).toMatchObject({
      status: 403,
      members: { error: 'access_denied' },
    });
    expect(
      await exchange(keycloak, 'service-b', tokens.a, { audience: 'service-b', scope: 'orders.approve' }),
    ).toMatchObject({
      status: 400,
      members: { error: 'invalid_scope' },
    });
  });
});

describe('Service B with a wrong client secret', () => {
  it('answers 502 to a valid token, and sends no challenge', async () => {
    const variables = { SERVICE_B_CLIENT_SECRET: 'not-the-secret', SERVICE_C_URL: chain.c.url };
    const wrong = await RunningServices.start({ only: ['service-b'], variables });
    const { body, headers } = await request(wrong.b.url)
      .post('/api/process')
      .set('Authorization', bearer(tokens.a))
      .send(ORDER)
      .expect(502);
    expect(body).toMatchObject({ code: 'authorization_server_refused' });
    expect(headers).not.toHaveProperty('www-authenticate');
    await wrong.stop();
  });
});

describe('the subject of a caller (RS-10)', () => {
  it('does not change if the user is renamed, and differs for a new user with the old name', async () => {
    const name = `user-${randomUUID()}`;
    const subjectOf = async (username: string, secret = username): Promise<string> => {
      const answer = await login(keycloak, username, 'orders.read', 'demo-cli', secret);
      return ((await whoami(chain.a.url, textOf(answer)).expect(200)).body as Whoami).subject;
    };
    await keycloak.newUser('order-viewer', name);
    const before = await subjectOf(name);
    await keycloak.administrator.change('PUT', '', { editUsernameAllowed: true });
    await keycloak.changeUser(name, { username: `${name}-renamed`, email: `${name}-renamed@example.com` });
    expect(await subjectOf(`${name}-renamed`, name)).toBe(before);
    await keycloak.newUser('order-viewer', name);
    expect(await subjectOf(name)).not.toBe(before);
  });
});

describe('the log output (RS-23)', () => {
  it('contains no token and no secret, not even truncated or in Base64', async () => {
    await runChain().set('Authorization', bearer(tokens.alice)).expect(200);
    // No service received these two tokens, so the scanner does not know them.
    for (const token of [textOf(aliceAnswer, 'id_token'), textOf(aliceAnswer, 'refresh_token')])
      chain.scanner.addToken(token);
    expect(chain.scanner.knownCount).toBeGreaterThan(20);
    expect(chain.printed()).toContain('Token exchanged');
    expect(chain.printed()).toContain('Request refused');
    expect(chain.scanner.leaks()).toEqual([]);
  });
});
