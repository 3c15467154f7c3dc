/** Step-up (RFC 9470) in small applications that require a recent or strong login. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Get, Module, Param, Post, type INestApplication, type Type } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import {
  Caller,
  InjectServiceClient,
  KeycloakModule,
  RequireStepUp,
  RequirePermission,
  type ServiceClient,
  type VerifiedAccessToken,
} from 'nestjs-keycloak-s2s';
import { redeem } from '../../libs/keycloak-test-servers/contract/code-cases.js';
import { claimsOf, SECRETS } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { describeOnBothServers } from '../../libs/keycloak-test-servers/contract/describe-servers.js';
import { codeOf, LoginBrowser } from '../../libs/keycloak-test-servers/contract/login-browser.js';
import {
  clientCredentials,
  exchange,
  introspect,
  login,
  textOf,
} from '../../libs/keycloak-test-servers/contract/requests.js';
import { callerOf, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';

// #region routes
@Controller('orders')
class RefundsController {
  @Post(':number/refunds')
  @RequirePermission('orders.read')
  @RequireStepUp({ maxAgeSeconds: 300 })
  refund(@Param('number') number: string, @Caller() caller: VerifiedAccessToken): object {
    return { refunded: number, by: caller.username };
  }

  @Get('ledger')
  @RequirePermission('orders.read')
  @RequireStepUp({ acr: ['gold', '2'], maxAgeSeconds: 300 })
  ledger(): object {
    return {};
  }
}
// #endregion routes

/** The login client may exchange a token before the client sends the token to these routes. */
@Controller('orders')
class StatementsController {
  @Get('statements')
  @RequirePermission('orders.read')
  @RequireStepUp({ acr: '2' })
  statements(): object {
    return {};
  }

  @Get('recent')
  @RequirePermission('orders.read')
  @RequireStepUp({ maxAgeSeconds: 2 })
  recent(): object {
    return {};
  }
}

/** Long enough for a login and two calls on a slow machine. */
const SHORT_SECONDS = 8;

@Controller('settlements')
class SettlementsController {
  @Post()
  @RequirePermission('orders.approve')
  @RequireStepUp({ maxAgeSeconds: SHORT_SECONDS })
  settle(@Caller() caller: VerifiedAccessToken): object {
    return { settled: caller.username };
  }
}

@Controller('orders')
class OrdersController {
  constructor(@InjectServiceClient('service-b') private readonly settlements: ServiceClient) {}

  @Post('settle')
  @RequirePermission('orders.read')
  settle(@Caller() caller: VerifiedAccessToken): Promise<object> {
    return this.settlements.onBehalfOf(caller, 'orders.approve').post('/settlements', {});
  }

  @Post('settle-recent')
  @RequirePermission('orders.read')
  @RequireStepUp({ maxAgeSeconds: SHORT_SECONDS })
  settleRecent(@Caller() caller: VerifiedAccessToken): Promise<object> {
    return this.settle(caller);
  }
}

const undone: (() => Promise<unknown>)[] = [];

async function start(
  { issuer }: ContractServer,
  clientId: 'service-a' | 'service-b',
  controllers: Type[],
  serviceB = 'http://localhost:9',
): Promise<string> {
  const options = { issuer, clientId, clientSecret: SECRETS[clientId], allowInsecureRequests: true };
  @Module({
    imports: [
      // The clock tolerance is 0, because the servers and this process share one clock.
      KeycloakModule.forRoot({ ...options, clockToleranceSeconds: 0 }),
      KeycloakModule.forFeature([{ name: 'service-b', baseUrl: serviceB, audience: 'service-b' }]),
    ],
    controllers,
  })
  class Application {}
  const module = await Test.createTestingModule({ imports: [Application] })
    .setLogger({ log() {}, warn() {}, error() {} })
    .compile();
  const app: INestApplication = module.createNestApplication(new FastifyAdapter());
  undone.push(() => app.close());
  await app.listen(0, '127.0.0.1');
  return app.getUrl();
}

interface Answer {
  readonly status: number;
  readonly challenge: string | null;
  readonly body: unknown;
}

async function send(method: string, url: string, token: string): Promise<Answer> {
  const response = await fetch(url, { method, headers: { authorization: `Bearer ${token}` } });
  return {
    status: response.status,
    challenge: response.headers.get('www-authenticate'),
    body: (await response.json()) as unknown,
  };
}

describeOnBothServers((connect) => {
  let keycloak: ContractServer;
  let refunds: string;
  let orders: string;
  let client: string;
  let browser: LoginBrowser;

  beforeAll(async () => {
    keycloak = await connect();
    client = await keycloak.newClient('web');
    refunds = await start(keycloak, 'service-a', [RefundsController, StatementsController]);
    const settlements = await start(keycloak, 'service-b', [SettlementsController]);
    orders = await start(keycloak, 'service-a', [OrdersController], settlements);
  });
  afterAll(async () => {
    for (const undo of undone.splice(0)) await undo();
    await keycloak.stop();
  });
  beforeEach(() => {
    browser = new LoginBrowser(keycloak);
  });

  const logIn = async (changes: Readonly<Record<string, string>> = {}): Promise<string> =>
    textOf(await redeem(keycloak, client, codeOf(await browser.login(client, 'alice', changes))));
  const more = async (): Promise<string> =>
    textOf(await redeem(keycloak, client, codeOf(await browser.authorize(client, { prompt: 'none' }))));

  const stepUp = async (): Promise<string> => {
    const form = await browser.authorize(client, { acr_values: '2' });
    return textOf(await redeem(keycloak, client, codeOf(await browser.submit(form, { password: 'alice' }))));
  };
  const passes = { status: 200 };
  const refusedLogin = {
    status: 401,
    challenge: expect.stringContaining('error="insufficient_user_authentication"'),
    body: expect.objectContaining({ code: 'insufficient_user_authentication' }),
  };

  it('refuses a token from before the step-up, and accepts the token from the step-up (RS-27)', async () => {
    const before = await logIn();
    expect(await send('GET', `${refunds}/orders/ledger`, before)).toMatchObject(refusedLogin);
    const after = await stepUp();
    expect(claimsOf(after)).toMatchObject({ sid: claimsOf(before)['sid'], acr: '2' });
    const introspected = await introspect(keycloak, 'service-a', before);
    expect(introspected.members).toMatchObject({ active: true, acr: '2' });
    for (const _ of ['asked', 'cached']) {
      expect(await send('GET', `${refunds}/orders/ledger`, before)).toMatchObject(refusedLogin);
      expect(await send('GET', `${refunds}/orders/ledger`, after)).toMatchObject(passes);
    }
  });

  it('refuses the token of an old login, even after a new login in the same session (RS-27)', async () => {
    const before = await logIn();
    await sleep(Number(claimsOf(before)['auth_time']) * 1000 + 3100 - Date.now());
    const after = await logIn({ prompt: 'login' });
    const { auth_time: loggedInAt, sid } = claimsOf(after);
    expect(sid).toBe(claimsOf(before)['sid']);
    const introspected = await introspect(keycloak, 'service-a', before);
    expect(introspected.members).toMatchObject({ active: true, auth_time: loggedInAt });
    expect(await send('GET', `${refunds}/orders/recent`, before)).toMatchObject(refusedLogin);
  });

  it('accepts the level in a token, even after the login client has exchanged the token (RS-27)', async () => {
    await logIn();
    const token = await stepUp();
    expect(await send('GET', `${refunds}/orders/statements`, token)).toMatchObject(passes);
    const options = { scope: 'orders.approve', audience: 'service-b' };
    const exchanged = textOf(await exchange(keycloak, callerOf(client), token, options));
    expect(claimsOf(exchanged)['acr']).toBe('1');
    const introspected = await introspect(keycloak, 'service-a', token);
    expect(introspected.members).toMatchObject({ active: true, acr: '1' });
    const another = await start(keycloak, 'service-a', [StatementsController]);
    expect(await send('GET', `${another}/orders/statements`, token)).toMatchObject(passes);
  });

  it('checks the login time of the token at the first service, and of its session at the called service (RS-27)', async () => {
    const before = await logIn();
    await sleep(Number(claimsOf(before)['auth_time']) * 1000 + (SHORT_SECONDS + 1) * 1000 + 100 - Date.now());
    await logIn({ prompt: 'login' });
    // Keycloak copies the auth_time of an exchanged token from the session.
    expect((await send('POST', `${orders}/orders/settle`, before)).status).toBe(201);
    expect(await send('POST', `${orders}/orders/settle-recent`, before)).toMatchObject(refusedLogin);
  });

  it('accepts both the first token and a later token of a recent login (RS-11)', async () => {
    const token = await logIn();
    const refunded = { status: 201, challenge: null, body: { refunded: '1', by: 'alice' } };
    expect(await send('POST', `${refunds}/orders/1/refunds`, token)).toEqual(refunded);
    expect(await send('POST', `${refunds}/orders/1/refunds`, await more())).toEqual(refunded);
  });

  it('refuses a login that is too weak, and names the required login (RS-11)', async () => {
    expect(await send('GET', `${refunds}/orders/ledger`, await logIn())).toEqual({
      status: 401,
      challenge:
        'Bearer realm="service-a", error="insufficient_user_authentication", acr_values="gold 2", max_age="300"',
      body: {
        error: 'Stronger or more recent login needed',
        code: 'insufficient_user_authentication',
        acrValues: ['gold', '2'],
        maxAgeSeconds: 300,
      },
    });
  });

  it('refuses a caller without a browser login, because the token has no login time (RS-11)', async () => {
    const refused = { status: 401, body: expect.objectContaining({ code: 'insufficient_user_authentication' }) };
    const byPassword = textOf(await login(keycloak, 'alice'));
    expect(await send('POST', `${refunds}/orders/1/refunds`, byPassword)).toMatchObject(refused);
    const ownToken = textOf(await clientCredentials(keycloak, 'service-a', 'orders.read'));
    expect(await send('POST', `${refunds}/orders/1/refunds`, ownToken)).toMatchObject(refused);
  });

  it('names the login that the called service requires, and accepts a new login (RS-11)', async () => {
    const settle = (token: string): Promise<Answer> => send('POST', `${orders}/orders/settle`, token);
    const token = await logIn();
    const loggedInAt = Number(claimsOf(token)['auth_time']);
    expect(await settle(token)).toMatchObject({ status: 201, body: { settled: 'alice' } });

    await sleep((loggedInAt + SHORT_SECONDS) * 1000 + 1100 - Date.now());
    const demanded = await settle(token);
    expect(demanded).toEqual({
      status: 401,
      challenge: `Bearer realm="service-a", error="insufficient_user_authentication", max_age="${SHORT_SECONDS}"`,
      body: {
        error: 'Stronger or more recent login needed',
        code: 'insufficient_user_authentication',
        maxAgeSeconds: SHORT_SECONDS,
      },
    });
    expect((await settle(await more())).status).toBe(401);

    const maxAge = /max_age="(\d+)"/.exec(demanded.challenge ?? '')?.[1] ?? '';
    const again = await logIn({ max_age: maxAge });
    expect(claimsOf(again)['sub']).toBe(claimsOf(token)['sub']);
    expect(await settle(again)).toMatchObject({ status: 201, body: { settled: 'alice' } });
  });
});
