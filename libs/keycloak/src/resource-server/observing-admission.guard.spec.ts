import {
  Controller,
  Get,
  Inject,
  Injectable,
  Req,
  Sse,
  UnauthorizedException,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
} from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import { of } from 'rxjs';
import request from 'supertest';
import { bearerOf, GOOD, REFUSED_CALLERS } from '../../spec-support/refusal-table.js';
import {
  AllowClients,
  Authenticated,
  Caller,
  KeycloakGuard,
  KeycloakStatus,
  OptionalToken,
  Public,
  RequirePermission,
  RequireStepUp,
  verifiedTokenOf,
  type VerifiedAccessToken,
} from '../index.js';
import { KeycloakTestingModule, testAuthorizationServer } from '../testing/index.js';

type Observed = Extract<ReturnType<KeycloakStatus['read']>['enforcement'], { mode: 'observe' }>;

const UNTIL = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
const OBSERVE = { enforcement: 'observe', observeUntil: UNTIL } as const;

interface Line {
  readonly message: string;
  readonly [field: string]: unknown;
}

@Injectable()
class OwnGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<{ readonly headers: Readonly<Record<string, string>> }>();
    if (headers['x-anonymous'] === undefined) return true;
    throw new UnauthorizedException();
  }
}

@Controller()
class OrdersController {
  constructor(@Inject(KeycloakGuard) private readonly guard: KeycloakGuard) {}

  @Get('orders')
  @RequirePermission('orders.read')
  @AllowClients('shop')
  orders(@Caller() caller: VerifiedAccessToken | undefined): object {
    return { caller: caller?.subject ?? null };
  }

  @Get('stepped-up')
  @RequireStepUp({ acr: 'gold' })
  steppedUp(): object {
    return { caller: null };
  }

  @Get('optional')
  @OptionalToken()
  optional(@Caller() caller: VerifiedAccessToken | undefined): object {
    return { caller: caller?.subject ?? null };
  }

  @Get('public')
  @Public()
  public(): object {
    return { caller: null };
  }

  @Get('forgotten')
  forgotten(@Caller() caller: VerifiedAccessToken | undefined): object {
    return { caller: caller?.subject ?? null };
  }

  @Get('others')
  @Authenticated()
  async others(@Req() asked: object): Promise<object> {
    const caller = verifiedTokenOf(asked) ?? (await this.guard.callerOf(asked as never));
    return { caller: caller?.subject ?? null };
  }

  @Sse('stream')
  @Authenticated()
  stream(): unknown {
    return of({ data: 'one' });
  }
}

const ADAPTERS: readonly (readonly [string, () => AbstractHttpAdapter])[] = [
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
];

describe.each(ADAPTERS)("enforcement: 'observe' on %s", (_name, adapter) => {
  const apps: INestApplication[] = [];
  let lines: Line[];

  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close();
  });

  async function start(options: object): Promise<INestApplication> {
    lines = [];
    const write = (line: Line): void => void lines.push(line);
    const log = { log: write, warn: write, error: write };
    const imports = [KeycloakTestingModule.forRoot({ exposeRefusalReasons: true, ...options })];
    const module = await Test.createTestingModule({ imports, controllers: [OrdersController] })
      .setLogger(log)
      .compile();
    const app = module.createNestApplication(adapter()).useGlobalGuards(new OwnGuard());
    apps.push(app);
    await app.init();
    await (app as NestFastifyApplication).getHttpAdapter().getInstance().ready?.();
    return app;
  }

  const get = (app: INestApplication, path: string, authorization?: string) => {
    const asked = request(app.getHttpServer()).get(path);
    return authorization === undefined ? asked : asked.set({ authorization });
  };

  const observed = (app: INestApplication): Observed => app.get(KeycloakStatus).read().enforcement as Observed;

  it('answers each call, and counts exactly the calls that an enforcing guard refuses', async () => {
    const enforcing = await start({});
    const observing = await start(OBSERVE);
    const expected: object[] = [];
    let admitted = 0;
    for (const path of ['/orders', '/stepped-up', '/optional', '/public', '/forgotten', '/others', '/stream']) {
      for (const { authorization } of [
        ...REFUSED_CALLERS,
        { authorization: (app: INestApplication) => bearerOf(app) },
      ]) {
        const { status, body } = await get(enforcing, path, authorization(enforcing));
        const { code, reason } = body as { readonly code?: string; readonly reason?: string };
        if (status >= 400) expected.push({ code, reason, route: `GET ${path}` });
        else if (path !== '/public' && authorization(enforcing) !== undefined) admitted += 1;
        await get(observing, path, authorization(observing)).expect(200);
      }
    }
    const { refusals, calls } = observed(observing);
    const seen = refusals.flatMap(({ code, reason, route, count }) =>
      Array.from({ length: count }, () => ({ code, reason, route })),
    );
    const sorted = (kinds: readonly object[]) => kinds.map((kind) => JSON.stringify(kind)).toSorted();
    expect(sorted(seen)).toEqual(sorted(expected));
    expect(calls).toMatchObject({ refused: expected.length, refusedByBoth: 0, failed: {}, dropped: 0 });
    expect(calls.admitted).toBe(admitted);
    expect(new Set(refusals.map(({ client }) => client))).toEqual(new Set([undefined, 'shop', 'till']));
  });

  it.each(['/orders', '/optional', '/forgotten', '/others'])('gives the handler of %s no token', async (path) => {
    const app = await start(OBSERVE);
    const { body } = await get(app, path, bearerOf(app)).expect(200);
    expect(body).toEqual({ caller: null });
  });

  it('adds no WWW-Authenticate header to an answer', async () => {
    const app = await start(OBSERVE);
    const { headers } = await get(app, '/orders', 'Bearer junk').expect(200);
    expect(headers).not.toHaveProperty('www-authenticate');
  });

  it('counts a call separately if a guard of the application also refuses the call', async () => {
    const app = await start(OBSERVE);
    await get(app, '/orders').set({ 'x-anonymous': 'yes' }).expect(401);
    expect(observed(app)).toMatchObject({ calls: { refused: 0, refusedByBoth: 1 }, refusals: [] });
  });

  it('answers a call while Keycloak is unreachable, and counts a failure instead of a refusal', async () => {
    const app = await start(OBSERVE);
    const authorization = bearerOf(app);
    testAuthorizationServer(app).fail('refused');
    await get(app, '/orders', authorization).expect(200);
    while (Object.keys(observed(app).calls.failed).length === 0) await new Promise(setImmediate);
    expect(observed(app)).toMatchObject({ calls: { refused: 0, failed: { ECONNREFUSED: 1 } }, refusals: [] });
  });

  it('answers calls and shuts down even if mapPermissions never returns', async () => {
    let ask!: () => void;
    const asked = new Promise<void>((resolve) => {
      ask = resolve;
    });
    const mapPermissions = () => {
      ask();
      return new Promise<never>(() => undefined);
    };
    const app = await start({ ...OBSERVE, mapPermissions });
    await get(app, '/orders', bearerOf(app)).expect(200);
    await asked;
    await app.close();
    expect(observed(app).calls).toMatchObject({ admitted: 0, refused: 0, failed: {} });
  });

  it('counts a refused call without a client if the token is unverified', async () => {
    const app = await start(OBSERVE);
    const claims = Buffer.from(JSON.stringify({ iss: 'https://x', azp: 'mallory' })).toString('base64url');
    await get(app, '/orders', `Bearer eyJhbGciOiJSUzI1NiJ9.${claims}.c2ln`).expect(200);
    expect(observed(app).refusals).toEqual([expect.objectContaining({ reason: 'inactive', count: 1 })]);
    expect(JSON.stringify(observed(app))).not.toContain('mallory');
  });

  it('warns at the start, and logs each call that would be refused', async () => {
    const app = await start(OBSERVE);
    expect(lines).toContainEqual(
      expect.objectContaining({ message: expect.stringMatching(/^Access is NOT enforced/), observeUntil: UNTIL }),
    );
    const authorization = bearerOf(app, { ...GOOD, client: 'till' });
    await get(app, '/orders', authorization).expect(200);
    const line = lines.find(({ message }) => message === 'This call would be refused if access were enforced');
    expect(line).toMatchObject({ reason: 'client_not_allowed', route: 'GET /orders', azp: 'till' });
    expect(JSON.stringify(lines)).not.toContain(authorization.slice(7));
  });

  it.each(['observe', 'OBSERVE', 'true'])(
    'cannot be enabled by a header or parameter of a request (%s)',
    async (value) => {
      const app = await start({});
      await get(app, `/orders?enforcement=${value}`).set({ enforcement: value, 'x-enforcement': value }).expect(401);
      expect(app.get(KeycloakStatus).read().enforcement).toEqual({ mode: 'enforce' });
    },
  );

  it.each([{}, { enforcement: undefined }, { enforcement: 'enforce' as const, observeUntil: UNTIL }])(
    'is off with the options %j, so access is enforced',
    async (options) => {
      const app = await start(options);
      await get(app, '/orders').expect(401);
      await get(app, '/forgotten', bearerOf(app)).expect(403);
      const { body } = await get(app, '/orders', bearerOf(app)).expect(200);
      expect(body).toEqual({ caller: 'test-subject' });
      expect(JSON.stringify(lines)).not.toContain('NOT enforced');
    },
  );
});
