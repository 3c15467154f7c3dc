import {
  Injectable,
  Module,
  SetMetadata,
  VersioningType,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, NestFactory, Reflector } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { map, type Observable } from 'rxjs';
import { startTestRealm } from '../../../../keycloak-test-servers/spec-support/test-realm.js';
import { junkNotice, listening, logIn, logOut, Shop, type ShopOptions } from '../../../spec-support/logout-services.js';
import { optionsOf } from '../../../spec-support/test-realm.js';
import { KeycloakModule } from '../../index.js';
import { jwtVerification } from '../jwt/index.js';
import { BackchannelLogoutModule, type BackchannelLogoutListener } from './index.js';

let server: RunningAuthorizationServer;
let shop: Shop | undefined;

beforeAll(async () => {
  server = await startTestRealm();
});
afterEach(async () => {
  await shop?.stop();
  shop = undefined;
});
afterAll(() => server.stop());

async function started(options: Partial<ShopOptions> = {}): Promise<Shop> {
  shop = await Shop.start({
    servers: [server],
    notices: BackchannelLogoutModule.forRoot(),
    adapter: new ExpressAdapter(),
    ...options,
  });
  return shop;
}

const aboutAlice = async (overrides: Readonly<Record<string, unknown>> = {}, sid = 's1'): Promise<string> =>
  server.control.logoutToken('shop', { username: 'alice', sid }, { claims: overrides });

describe.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('BackchannelLogoutModule on %s', (_, adapter) => {
  it.each<[string, Partial<ShopOptions>]>([
    ['introspects tokens', { options: { introspectionTtlSeconds: 60 } }],
    ['verifies signatures', { options: { verification: 'jwt', jwt: jwtVerification() } }],
  ])('denies the token of a user who logs out at Keycloak, if the service %s (BF-09)', async (__, options) => {
    const app = await started({ adapter: adapter(), ...options });
    const [here, elsewhere, bob] = [
      await logIn(server, 'alice'),
      await logIn(server, 'alice'),
      await logIn(server, 'bob'),
    ];
    const all = async (): Promise<number[]> =>
      Promise.all([here, elsewhere, bob].map(async ({ accessToken }) => app.status(accessToken)));
    expect(await all()).toEqual([200, 200, 200]);
    await logOut(server, here);
    expect(await all()).toEqual([401, 200, 200]);
    await server.control.logOutUser('alice');
    expect(await all()).toEqual([401, 401, 200]);
  });

  it('answers a logout notice as the specification requires, with Cache-Control: no-store (BF-09)', async () => {
    const app = await started({ adapter: adapter() });
    const taken = await app.notify(await aboutAlice());
    expect([taken.status, await taken.text(), taken.headers.get('cache-control')]).toEqual([200, '', 'no-store']);
    const REFUSED = { error: 'invalid_request', error_description: 'The logout token is not valid' };
    const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
    const again = await aboutAlice();
    await app.notify(again);
    const refused = [
      await app.notify(again),
      await app.notify(junkNotice(server, 'nobody')),
      await app.notify('junk'),
      await app.notify(''),
      await app.notify(`${'x'.repeat(9000)}`),
      await app.post(new URLSearchParams()),
      await app.post(`logout_token=${again}&logout_token=${again}`, FORM),
      await app.post('{"logout_token":["x"]}', { 'content-type': 'application/json' }),
    ];
    for (const answer of refused) {
      expect([answer.status, answer.headers.get('cache-control'), await answer.json()]).toEqual([
        400,
        'no-store',
        REFUSED,
      ]);
    }
    const tooLong = await app.notify('x'.repeat(2_000_000));
    expect([tooLong.status, tooLong.ok]).toEqual([413, false]);
    await tooLong.body?.cancel();
  });

  it('is not affected by interceptors, and passes a global guard only with the option `decorators`', async () => {
    const csrfExempt = SetMetadata('csrf-exempt', true);
    const providers = [
      { provide: APP_GUARD, useClass: UnsafeMethods },
      { provide: APP_INTERCEPTOR, useClass: Envelope },
    ];
    const guarded = await started({ adapter: adapter(), providers });
    const closed = await guarded.notify(await aboutAlice());
    expect(closed.status).toBe(403);
    await closed.body?.cancel();
    await guarded.stop();
    const notices = BackchannelLogoutModule.forRoot({ decorators: [csrfExempt] });
    const open = await started({ adapter: adapter(), providers, notices });
    const answer = await open.notify(await aboutAlice());
    expect([answer.status, await answer.text()]).toEqual([200, '']);
  });

  it('accepts logout notices at the configured path below the global prefix, even with API versions', async () => {
    const app = await started({
      adapter: adapter(),
      notices: BackchannelLogoutModule.forRoot({ path: '/auth/ended' }),
      path: 'api/auth/ended',
      prepare: (nest) => {
        nest.setGlobalPrefix('api');
        nest.enableVersioning({ type: VersioningType.URI, defaultVersion: '2' });
      },
    });
    expect((await app.notify(await aboutAlice())).status).toBe(200);
  });
});

describe('BackchannelLogoutModule', () => {
  it.each<[string, object]>([
    ['path must consist of letters', { path: '' }],
    ['path must consist of letters', { path: 'auth/' }],
    ['path must consist of letters', { path: 'auth/:id' }],
    ['path must consist of letters', { path: 'https://shop.example.com/logout' }],
    ['path must consist of letters', { path: 7 }],
    ['decorators must be a list', { decorators: 'CsrfExempt' }],
    ['unknown option "paht"', { paht: 'auth' }],
  ])('rejects invalid options: %s', (fault, options) => {
    expect(() => BackchannelLogoutModule.forRoot(options)).toThrow(fault);
  });

  it('prevents the start if the listener is invalid, the import is repeated or KeycloakModule is missing', async () => {
    const given = [undefined, {}, { ended: 'x' }, { ended: async () => undefined, unverified: true }];
    for (const listener of given) {
      await expect(started({ notices: listening(listener as BackchannelLogoutListener) })).rejects.toThrow(
        'useFactory must return a listener',
      );
    }
    const one = BackchannelLogoutModule.forRoot();
    @Module({ imports: [one, BackchannelLogoutModule.forRoot({ path: 'b' })] })
    class Twice {}
    await expect(started({ notices: { module: Twice } })).rejects.toThrow('it is imported 2 times');
    @Module({ imports: [one] })
    class Alone {}
    await expect(NestFactory.create(Alone, { logger: false, abortOnError: false })).rejects.toThrow(
      'provided by KeycloakModule.forRoot()',
    );
  });

  it('does not read the keys before the first logout notice', async () => {
    const { control } = server;
    const before = control.calls.jwks;
    const options = optionsOf(server);
    // #region module
    @Module({ imports: [KeycloakModule.forRoot(options), BackchannelLogoutModule.forRoot()] })
    class ShopModule {}
    // #endregion module
    const app = await NestFactory.create(ShopModule, { logger: false });
    await app.init();
    await app.close();
    expect(control.calls.jwks).toBe(before);
  });
});

@Injectable()
class UnsafeMethods implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const isSafe = context.switchToHttp().getRequest<{ method: string }>().method === 'GET';
    return isSafe || this.reflector.get<boolean | undefined>('csrf-exempt', context.getHandler()) === true;
  }
}

@Injectable()
class Envelope implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((data: unknown) => ({ data })));
  }
}
