import { Controller, Get, Post, type LoggerService, type Type } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { request as httpRequest } from 'node:http';
import { once } from 'node:events';
import { inspect } from 'node:util';
import request from 'supertest';
import { KeycloakModule } from '../module/keycloak.module.js';
import type { KeycloakModuleOptions } from '../options/keycloak.options.js';
import { BearerError } from '../protocol/bearer-error.js';
import { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import type { Fault, RunningAuthorizationServer } from 'keycloak-test-servers';
import { respellingsOf } from '../../spec-support/respellings.js';
import { BASIC_OF_SERVICE_B, connectionTo } from '../../spec-support/test-realm.js';
import { startTestRealm } from '../../../keycloak-test-servers/spec-support/test-realm.js';
import { tokenText } from '../testing/token-text.js';
import {
  AllowClients,
  Authenticated,
  MaxIntrospectionAge,
  OptionalToken,
  Public,
  RequireStepUp,
  RequirePermission,
} from './access.decorators.js';
import { Caller } from './caller.decorator.js';
import { KeycloakGuard } from './keycloak.guard.js';

@Controller()
class Routes {
  @Get('closed')
  closed(): string {
    return 'never';
  }

  @Get('public')
  @Public()
  public(): object {
    return { subject: null };
  }

  @Get('optional')
  @OptionalToken()
  optional(@Caller() token: VerifiedAccessToken | undefined): object {
    return { subject: token?.subject ?? null };
  }

  @Get('optional-approve')
  @OptionalToken()
  @RequirePermission('orders.approve')
  optionalApprove(@Caller() token: VerifiedAccessToken | undefined): object {
    return { subject: token?.subject ?? null };
  }

  @Get('authenticated')
  @Authenticated()
  authenticated(@Caller() token: VerifiedAccessToken): object {
    return { subject: token.subject, type: token.constructor.name };
  }

  @Post('refused-exchange')
  @Authenticated()
  exchange(): never {
    throw new BearerError('invalid_token', { reason: 'subject_token_refused' });
  }

  @Post('approve')
  @RequirePermission('orders.approve')
  @AllowClients('service-a')
  approve(@Caller() token: VerifiedAccessToken): object {
    return { subject: token.subject };
  }

  @Get('fresh')
  @Authenticated()
  @MaxIntrospectionAge({ seconds: 0 })
  fresh(): string {
    return 'ok';
  }

  @Get('recent')
  @RequireStepUp({ acr: ['gold', 'silver'], maxAgeSeconds: 60 })
  recent(): string {
    return 'ok';
  }

  @Get('recent-approve')
  @RequireStepUp({ maxAgeSeconds: 60 })
  @RequirePermission('orders.approve')
  @AllowClients('service-a')
  recentApprove(): string {
    return 'ok';
  }

  @Get('optional-recent')
  @OptionalToken()
  @RequireStepUp({ maxAgeSeconds: 60 })
  optionalRecent(@Caller() token: VerifiedAccessToken | undefined): object {
    return { subject: token?.subject ?? null };
  }
}

class CapturedLog implements LoggerService {
  readonly lines: string[] = [];
  #write(level: string, ...parts: unknown[]): void {
    this.lines.push(`${level} ${parts.map((part) => (typeof part === 'string' ? part : inspect(part))).join(' ')}`);
  }
  log = (...parts: unknown[]): void => this.#write('log', ...parts);
  warn = (...parts: unknown[]): void => this.#write('warn', ...parts);
  error = (...parts: unknown[]): void => this.#write('error', ...parts);
}

type Adapter = () => AbstractHttpAdapter;

const TOKEN = tokenText('the token');

async function startApp(
  realm: RunningAuthorizationServer,
  adapter: Adapter,
  controller: Type,
  options: Partial<KeycloakModuleOptions> = {},
) {
  const { realmUrl: _, ...connection } = connectionTo(realm);
  const log = new CapturedLog();
  const module = await Test.createTestingModule({
    imports: [KeycloakModule.forRoot({ ...connection, introspectionTtlSeconds: 0, ...options })],
    controllers: [controller],
  })
    .setLogger(log)
    .compile();
  const app = module.createNestApplication(adapter());
  try {
    await app.listen(0, '127.0.0.1');
  } catch (error) {
    await app.close();
    throw error;
  }
  return { app, log, url: await app.getUrl() };
}

const says = (body: unknown, status = 200): Fault => ({ kind: 'answer', status, body });

const activeToken = (realm: RunningAuthorizationServer, bend: Readonly<Record<string, unknown>> = {}): Fault =>
  says({
    active: true,
    iss: realm.issuer,
    sub: 'alice-id',
    aud: 'service-b',
    exp: Math.floor(Date.now() / 1000) + 60,
    typ: 'Bearer',
    azp: 'service-a',
    scope: 'profile orders.approve',
    ...bend,
  });

const ADAPTERS: readonly (readonly [string, Adapter])[] = [
  ['Fastify', () => new FastifyAdapter()],
  ['Express', () => new ExpressAdapter()],
];

describe.each(ADAPTERS)('KeycloakGuard on %s', (_name, adapter) => {
  let realm: RunningAuthorizationServer;
  let service: Awaited<ReturnType<typeof startApp>>;

  beforeAll(async () => {
    realm = await startTestRealm();
    service = await startApp(realm, adapter, Routes);
  });

  beforeEach(() => {
    good();
    realm.control.calls.reset();
  });

  afterAll(async () => {
    await service.app.close();
    await realm.stop();
  });

  const good = (bend: Readonly<Record<string, unknown>> = {}) =>
    realm.control.fault('introspection', activeToken(realm, bend));

  const get = (path: string, authorization?: string) =>
    authorization === undefined
      ? request(service.url).get(path)
      : request(service.url).get(path).set('Authorization', authorization);

  const introspections = () => realm.control.calls.introspection;

  it('refuses every call to a route without access decorators (RS-20)', async () => {
    for (const authorization of [undefined, `Bearer ${TOKEN}`, 'junk']) {
      const { headers } = await get('/closed', authorization).expect(403, {
        error: 'Route closed',
        code: 'route_closed',
      });
      expect(headers).not.toHaveProperty('www-authenticate');
    }
    expect(introspections()).toBe(0);
    const named = service.log.lines.filter((line) => line.includes('is closed'));
    expect(named).toEqual([expect.stringMatching(/^warn Routes\.closed \(GET\) is closed/)]);
  });

  it.each([undefined, `Bearer ${TOKEN}`, 'Bearer a b', 'Basic YTpi'])(
    'ignores the token on a public route: %s',
    async (authorization) => {
      await get('/public', authorization).expect(200, { subject: null });
      expect(introspections()).toBe(0);
    },
  );

  it('treats a request without credentials on an optional route as anonymous', async () => {
    await get('/optional').expect(200, { subject: null });
    await get('/optional-approve').expect(200, { subject: null });
    expect(introspections()).toBe(0);
  });

  it('verifies a token on an optional route, and refuses a bad token', async () => {
    await get('/optional', `Bearer ${TOKEN}`).expect(200, { subject: 'alice-id' });
    await get('/optional-approve', `Bearer ${TOKEN}`).expect(200, { subject: 'alice-id' });
    const statuses = [];
    for (const junk of ['Bearer ä', 'Basic YTpi', 'Bearer']) statuses.push((await get('/optional', junk)).status);
    statuses.push((await get('/optional?access_token=x')).status);
    expect(statuses).toEqual([401, 401, 400, 401]);
    good({ scope: 'orders.read' });
    await get('/optional-approve', `Bearer ${TOKEN}`).expect(403);
    realm.control.fault('introspection', says({ active: false }));
    await get('/optional', `Bearer ${TOKEN}`).expect(401);
  });

  it('passes the verified token to the handler', async () => {
    await get('/authenticated', `Bearer ${TOKEN}`).expect(200, { subject: 'alice-id', type: 'VerifiedAccessToken' });
    const approved = await request(service.url).post('/approve').set('Authorization', `bearer ${TOKEN}`);
    expect(approved.body).toEqual({ subject: 'alice-id' });
  });

  it('states in the 401 of a handler that the request may have been applied', async () => {
    const send = async (authorization: string): Promise<string> => {
      const { headers } = await request(service.url)
        .post('/refused-exchange')
        .set('Authorization', authorization)
        .expect(401, { error: 'Invalid token', code: 'invalid_token' });
      return String(headers['www-authenticate']);
    };
    expect(await send(`Bearer ${TOKEN}`)).toBe('Bearer realm="service-b", error="invalid_token", applied="unknown"');
    expect(await send('Bearer junk')).toBe('Bearer realm="service-b", error="invalid_token"');
  });

  it('introspects with the client credentials and with the token in the body (RS-04)', async () => {
    await get('/authenticated', `Bearer ${TOKEN}`).expect(200);
    expect(introspections()).toBe(1);
    const { form, ...sent } = realm.control.lastRequest('introspection') ?? {};
    expect(sent).toEqual({
      method: 'POST',
      url: '/realms/microservices/protocol/openid-connect/token/introspect',
      authorization: BASIC_OF_SERVICE_B,
    });
    expect([...(form ?? [])].toSorted()).toEqual([
      ['token', TOKEN],
      ['token_type_hint', 'access_token'],
    ]);
  });

  const refusals: readonly (readonly [
    string,
    Readonly<Record<string, unknown>>,
    number,
    object,
    string | undefined,
  ])[] = [
    [
      'inactive',
      { active: false },
      401,
      { error: 'Invalid token', code: 'invalid_token' },
      'Bearer realm="service-b", error="invalid_token"',
    ],
    [
      'for another audience',
      { aud: 'service-c' },
      401,
      { error: 'Invalid token', code: 'invalid_token' },
      'Bearer realm="service-b", error="invalid_token"',
    ],
    [
      'an ID token',
      { typ: 'ID' },
      401,
      { error: 'Invalid token', code: 'invalid_token' },
      'Bearer realm="service-b", error="invalid_token"',
    ],
    [
      'without the permission, and of another client',
      { scope: 'orders.read', azp: 'warehouse' },
      403,
      { error: 'Insufficient permission', code: 'insufficient_scope', permission: 'orders.approve' },
      'Bearer realm="service-b", error="insufficient_scope", scope="orders.approve"',
    ],
    [
      'of a client that is not allowed',
      { azp: 'warehouse' },
      403,
      { error: 'Client not allowed', code: 'client_not_allowed' },
      undefined,
    ],
  ];

  it.each(refusals)('refuses a token that is %s', async (_case, bend, status, body, challenge) => {
    good(bend);
    const answer = await request(service.url).post('/approve').set('Authorization', `Bearer ${TOKEN}`);
    expect([answer.status, answer.body, answer.headers['www-authenticate']]).toEqual([status, body, challenge]);
  });

  const secondsAgo = (seconds: number): number => Math.floor(Date.now() / 1000) - seconds;

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['without acr and auth_time', {}],
    ['of a weak login', { acr: '1', auth_time: secondsAgo(0) }],
    ['of an old login', { acr: 'gold', auth_time: secondsAgo(3600) }],
    ['of a login in the future', { acr: 'gold', auth_time: secondsAgo(-3600) }],
  ])('answers a token %s with a challenge that has the complete requirement (RS-11)', async (_case, bend) => {
    good(bend);
    const { body, headers } = await get('/recent', `Bearer ${TOKEN}`).expect(401);
    expect(body).toEqual({
      error: 'Stronger or more recent login needed',
      code: 'insufficient_user_authentication',
      acrValues: ['gold', 'silver'],
      maxAgeSeconds: 60,
    });
    expect(headers['www-authenticate']).toBe(
      'Bearer realm="service-b", error="insufficient_user_authentication", acr_values="gold silver", max_age="60"',
    );
  });

  const outcomeOf = async (path: string, bend?: Readonly<Record<string, unknown>>): Promise<unknown> => {
    if (bend !== undefined) good(bend);
    const { status, body } = await get(path, bend === undefined ? undefined : `Bearer ${TOKEN}`);
    return status === 200 ? 200 : (body as { code: unknown }).code;
  };

  it('accepts a login that is strong and recent (RS-11)', async () => {
    expect(await outcomeOf('/recent', { acr: 'silver', auth_time: secondsAgo(30) })).toBe(200);
    expect(await outcomeOf('/recent')).toBe('missing_token');
  });

  it('requires a login only from a permitted caller with an allowed client (RS-11)', async () => {
    const old = { auth_time: secondsAgo(3600) };
    expect(await outcomeOf('/recent-approve', { ...old, scope: 'orders.read' })).toBe('insufficient_scope');
    expect(await outcomeOf('/recent-approve', { ...old, azp: 'warehouse' })).toBe('client_not_allowed');
    expect(await outcomeOf('/recent-approve', old)).toBe('insufficient_user_authentication');
    expect(await outcomeOf('/recent-approve', { auth_time: secondsAgo(30) })).toBe(200);
  });

  it('requires a recent login on an optional route only if the request has a token (RS-11)', async () => {
    expect(await outcomeOf('/optional-recent')).toBe(200);
    expect(await outcomeOf('/optional-recent', { auth_time: secondsAgo(3600) })).toBe(
      'insufficient_user_authentication',
    );
    expect(await outcomeOf('/optional-recent', { auth_time: secondsAgo(30) })).toBe(200);
  });

  it('answers a request without a token with a challenge that has only the realm (RS-02)', async () => {
    const { headers } = await get('/authenticated').expect(401, { error: 'Missing token', code: 'missing_token' });
    expect(headers['www-authenticate']).toBe('Bearer realm="service-b"');
  });

  it.each<[string, string, string | undefined, number]>([
    ['a malformed header', '/authenticated', 'Bearer a b', 400],
    ['junk', '/authenticated', 'Bearer a,b', 401],
    ['a token that is too long', '/authenticated', `Bearer ${'a'.repeat(8193)}`, 401],
    ['another scheme', '/authenticated', 'Basic YTpi', 401],
    ['a token in the query (RS-01)', `/authenticated?access_token=${TOKEN}`, undefined, 401],
    ['a token in header and query (RS-01)', `/authenticated?access_token=${TOKEN}`, `Bearer ${TOKEN}`, 400],
  ])(
    'refuses a request without a call to the authorization server: %s (RS-03)',
    async (_case, path, authorization, status) => {
      await get(path, authorization).expect(status);
      expect(introspections()).toBe(0);
    },
  );

  it.each([
    ['alone', {}, 401],
    ['beside a header', { Authorization: `Bearer ${TOKEN}` }, 400],
  ])('accepts no token from a form, %s (RS-01)', async (_case, headers, status) => {
    await request(service.url).post('/approve').set(headers).type('form').send({ access_token: TOKEN }).expect(status);
    expect(introspections()).toBe(0);
  });

  it("refuses two Authorization headers, although Node's `headers` contains only the first (RS-03)", async () => {
    const outgoing = httpRequest(`${service.url}/authenticated`, {
      headers: ['Host', 'b', 'Authorization', `Bearer ${TOKEN}`, 'Authorization', 'Bearer other'],
    }).end();
    const [response] = (await once(outgoing, 'response')) as [{ statusCode: number; resume: () => void }];
    response.resume();
    expect(response.statusCode).toBe(400);
    expect(introspections()).toBe(0);
  });

  it.each<[string, Fault, number, string]>([
    ['500', { kind: 'status', status: 500 }, 503, 'authorization_server_unavailable'],
    ['HTML', { kind: 'html' }, 503, 'authorization_server_unavailable'],
    ['"active" as text (RS-05)', says({ active: 'true' }), 503, 'authorization_server_unavailable'],
    ['401', says({ error: 'invalid_client' }, 401), 502, 'authorization_server_refused'],
  ])(
    'answers with a server error, not a token error, if introspection answers %s (RS-14)',
    async (_case, fault, status, code) => {
      realm.control.fault('introspection', fault);
      const { body, headers } = await get('/authenticated', `Bearer ${TOKEN}`).expect(status);
      expect(body).toEqual({ error: expect.any(String), code });
      expect(headers).not.toHaveProperty('www-authenticate');
      expect('retry-after' in headers).toBe(status === 503);
    },
  );

  it.each(['rpc', 'ws', 'graphql', 'telepathy'])(
    'runs only public handlers if the context kind %s has no request adapter (RS-20)',
    async (kind) => {
      const guard = service.app.get(KeycloakGuard);
      const admitted = async (handler: (...args: never[]) => unknown): Promise<boolean> => {
        const context = new ExecutionContextHost([{}, {}], Routes, handler);
        context.setType(kind);
        return guard.canActivate(context);
      };
      await expect(admitted(Routes.prototype.public)).resolves.toBe(true);
      const { authenticated, closed } = Routes.prototype;
      const isMessage = kind === 'rpc' || kind === 'ws';
      for (const [handler, reason] of [
        [authenticated, 'context_without_carrier'],
        [closed, 'no_decorator_opens_it'],
      ] as const) {
        // Nest answers a message with an error only for its own exception classes.
        const refused = isMessage
          ? { error: { error: 'Route closed', code: 'route_closed' } }
          : { code: 'route_closed', reason };
        await expect(admitted(handler)).rejects.toMatchObject(refused);
        expect(service.log.lines.at(-1)).toContain(reason);
      }
    },
  );

  it('logs the reason of a refusal, and never a token (RS-23)', async () => {
    good({ aud: 'service-c', jti: 'j1' });
    await get('/authenticated', `Bearer ${TOKEN}`).expect(401);
    expect(service.log.lines.at(-1)).toMatch(/^log .*Request refused.*other_audience.*jti: 'j1'/s);
    expect(service.log.lines.at(-1)).toMatch(/method: 'GET',\s+route: '\/authenticated'/);
    const all = service.log.lines.join('\n');
    for (const part of TOKEN.split('.')) expect(all).not.toContain(part);
    expect(all).not.toContain('the-secret');
  });

  it('answers with a server error, not a token error, if introspection times out (RS-14)', async () => {
    const hurried = await startApp(realm, adapter, Routes, { timeoutMs: 300 });
    realm.control.fault('introspection', { kind: 'hang' });
    const { headers } = await request(hurried.url)
      .get('/authenticated')
      .set('Authorization', `Bearer ${TOKEN}`)
      .expect(503, { error: 'Authorization server unavailable', code: 'authorization_server_unavailable' });
    expect(headers).not.toHaveProperty('www-authenticate');
    expect(headers).toHaveProperty('retry-after');
    await hurried.app.close();
  });

  it('sends the reason of a refusal to callers only with exposeRefusalReasons', async () => {
    const open = await startApp(realm, adapter, Routes, { exposeRefusalReasons: true });
    const { body } = await request(open.url).get('/authenticated').set('Authorization', 'Bearer a,b').expect(401);
    expect(body).toEqual({ error: 'Invalid token', code: 'invalid_token', reason: 'token_malformed' });
    await open.app.close();
  });

  it('stops the start if the decorators of a route contradict each other', async () => {
    @Controller()
    class Contradictory {
      @Get()
      @Public()
      @RequirePermission('orders.read')
      read(): void {}
    }
    await expect(startApp(realm, adapter, Contradictory)).rejects.toThrow(/^Contradictory\.read \(GET\): @Public\(\)/);
  });
});

describe('KeycloakGuard with cached results', () => {
  let realm: RunningAuthorizationServer;
  let service: Awaited<ReturnType<typeof startApp>>;
  const get = (path: string, token = TOKEN): request.Test =>
    request(service.url).get(path).set('Authorization', `Bearer ${token}`);
  const introspections = (): number => realm.control.calls.introspection;

  beforeAll(async () => {
    realm = await startTestRealm();
    realm.control.fault('introspection', activeToken(realm));
    service = await startApp(realm, () => new FastifyAdapter(), Routes, { introspectionTtlSeconds: 10 });
  });

  afterAll(async () => {
    await service.app.close();
    await realm.stop();
  });

  it('introspects a token once for many requests and routes (RS-12)', async () => {
    await Promise.all(Array.from({ length: 20 }, () => get('/authenticated').expect(200)));
    await get('/optional').expect(200);
    expect(introspections()).toBe(1);
  });

  it('introspects each time if @MaxIntrospectionAge is 0, and caches the result for other routes (RS-13)', async () => {
    await get('/fresh').expect(200);
    await get('/fresh').expect(200);
    expect(introspections()).toBe(3);
    realm.control.fault('introspection', says({ active: false }));
    await get('/authenticated').expect(200);
    await get('/fresh').expect(401);
    await get('/authenticated').expect(401);
  });

  it('checks a cached result again for a route with a different permission', async () => {
    realm.control.fault('introspection', activeToken(realm, { scope: 'profile' }));
    const another = tokenText('another');
    await get('/authenticated', another).expect(200);
    const before = introspections();
    await request(service.url).post('/approve').set('Authorization', `Bearer ${another}`).expect(403);
    expect(introspections()).toBe(before);
  });

  it('refuses other spellings of a token without a call to the authorization server (RS-03, RS-12)', async () => {
    realm.control.fault('introspection', activeToken(realm));
    const token = tokenText('in many spellings');
    await get('/authenticated', token).expect(200);
    const before = introspections();
    const others = respellingsOf(token);
    expect(others.length).toBeGreaterThan(30);
    for (const other of others) {
      await get('/optional', other).expect(401, { error: 'Invalid token', code: 'invalid_token' });
    }
    await get('/authenticated', token).expect(200);
    expect(introspections()).toBe(before);
  });
});
