import {
  Controller,
  Get,
  Injectable,
  Module,
  type CanActivate,
  type ExecutionContext,
  type Type,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { describe, expect, it } from '@jest/globals';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setTimeout } from 'node:timers/promises';
import { startedApp } from '../../spec-support/started-app.js';
import {
  Caller,
  AccessTokenVerifier,
  Authenticated,
  KeycloakGuard,
  MaxIntrospectionAge,
  Public,
  RevocationList,
  TokenVerification,
  type KeycloakModuleOptions,
  type VerificationMethod,
  type VerifiedAccessToken,
} from '../index.js';
import { INTROSPECTION_CHANNEL, JWT_VERIFICATION_CHANNEL } from '../entry-points/diagnostics/index.js';
import { jwtVerification } from '../entry-points/jwt/index.js';
import { resolveKeycloakOptions } from '../options/keycloak.options.js';
import { KeycloakTestingModule, signIn, signOut, testAccessToken, testAuthorizationServer } from '../testing/index.js';

const LINES: string[] = [];
const LOG = { log: (line: unknown) => void LINES.push(String(line)), warn: () => undefined, error: () => undefined };

@Controller()
@Authenticated()
class Routes {
  @Get('default')
  byDefault(@Caller() { subject }: VerifiedAccessToken): string {
    return subject;
  }

  @Get('signed')
  @TokenVerification('jwt')
  signed(@Caller() { subject }: VerifiedAccessToken): string {
    return subject;
  }

  @Get('asked')
  @TokenVerification('introspection')
  asked(@Caller() { subject }: VerifiedAccessToken): string {
    return subject;
  }

  @Get('fresh')
  @TokenVerification('jwt')
  @MaxIntrospectionAge({ seconds: 0 })
  fresh(@Caller() { subject }: VerifiedAccessToken): string {
    return subject;
  }
}

function start(options: Partial<KeycloakModuleOptions>, controller: Type = Routes, guards: Type[] = []) {
  LINES.length = 0;
  return startedApp(
    {
      imports: [KeycloakTestingModule.forRoot({ jwt: jwtVerification(), ...options })],
      controllers: [controller],
      providers: guards.map((useClass) => ({ provide: APP_GUARD, useClass })),
    },
    LOG,
  );
}

async function looks(run: () => Promise<unknown>): Promise<string[]> {
  const seen: string[] = [];
  const introspected = (message: unknown) =>
    void seen.push(`introspection ${(message as { outcome: string }).outcome}`);
  const verified = (message: unknown) => void seen.push(`jwt ${(message as { outcome: string }).outcome}`);
  subscribe(INTROSPECTION_CHANNEL, introspected);
  subscribe(JWT_VERIFICATION_CHANNEL, verified);
  await run();
  unsubscribe(INTROSPECTION_CHANNEL, introspected);
  unsubscribe(JWT_VERIFICATION_CHANNEL, verified);
  return seen;
}

const ALICE = { subject: 'alice' };

describe('a route', () => {
  it.each<[VerificationMethod, string, string]>([
    ['introspection', '/default', 'introspection'],
    ['introspection', '/signed', 'jwt'],
    ['introspection', '/asked', 'introspection'],
    ['introspection', '/fresh', 'introspection'],
    ['jwt', '/default', 'jwt'],
    ['jwt', '/signed', 'jwt'],
    ['jwt', '/asked', 'introspection'],
    ['jwt', '/fresh', 'introspection'],
  ])(
    'uses only one verification method: with the module default %s, the path %s uses %s',
    async (verification, path, way) => {
      const { app, get } = await start({ verification });
      const token = signIn(app, testAccessToken(ALICE));
      const [cold, warm] =
        way === 'jwt' ? ['jwt verified', 'jwt cached'] : ['introspection asked', 'introspection cached'];
      expect(await looks(() => get(path, token))).toEqual([cold]);
      expect(await looks(() => get(path, token))).toEqual([path === '/fresh' ? cold : warm]);
      expect(await get(path, token)).toBe('alice');
    },
  );

  it('refuses a signed-out token if the route uses introspection, but not if it verifies signatures (RS-13)', async () => {
    const { app, get } = await start({ introspectionTtlSeconds: 0 });
    const token = signIn(app, testAccessToken(ALICE));
    signOut(app, token);
    expect([await get('/asked', token), await get('/fresh', token), await get('/signed', token)]).toEqual([
      401,
      401,
      'alice',
    ]);
  });

  it('answers 503 if the server is unreachable, even if the other verification method would work (RS-14)', async () => {
    const { app, get } = await start({ introspectionTtlSeconds: 0, maxRetries: 0 });
    const token = signIn(app, testAccessToken(ALICE));
    testAuthorizationServer(app).fail('refused');
    const seen = await looks(async () => {
      expect([await get('/signed', token), await get('/asked', token)]).toEqual([503, 503]);
    });
    expect(seen).toEqual(['jwt verified', 'introspection asked']);
    testAuthorizationServer(app).recover();
    expect(await get('/signed', token)).toBe('alice');
    testAuthorizationServer(app).fail('refused');
    expect([await get('/signed', token), await get('/asked', token)]).toEqual(['alice', 503]);
    expect(await get('/signed', signIn(app, testAccessToken(ALICE)))).toBe('alice');
  });

  it('refuses a denied token with each verification method (RS-13)', async () => {
    const { app, get } = await start({});
    const token = signIn(app, testAccessToken({ ...ALICE, claims: { sid: 's1' } }));
    for (const path of ['/signed', '/asked']) expect(await get(path, token)).toBe('alice');
    app.get(RevocationList).deny({ sid: 's1' });
    for (const path of ['/signed', '/asked']) expect(await get(path, token)).toBe(401);
  });

  it('introspects a token of an offline session after the denial of its online session (RS-13)', async () => {
    const { app, get } = await start({ introspectionTtlSeconds: 0 });
    const of = (jti: string) => signIn(app, testAccessToken({ ...ALICE, claims: { sid: 's1', jti } }));
    const [online, offline] = [of('onrtac:1'), of('ofrtac:2')];
    expect([await get('/signed', online), await get('/signed', offline)]).toEqual(['alice', 'alice']);
    app.get(RevocationList).deny({ sid: 's1', exceptOffline: true });
    for (const path of ['/signed', '/asked']) {
      expect(await get(path, online)).toBe(401);
      expect(await looks(async () => expect(await get(path, offline)).toBe('alice'))).toContain('introspection asked');
    }
    signOut(app, offline);
    expect([await get('/signed', offline), await get('/asked', offline)]).toEqual([401, 401]);
  });

  it('introspects only tokens that are older than a recheck of their session (RS-13)', async () => {
    const { app, get } = await start({ verification: 'jwt', introspectionTtlSeconds: 0, clockToleranceSeconds: 0 });
    const ofSession = (sid: string) => signIn(app, testAccessToken({ ...ALICE, claims: { sid } }));
    const [its, another] = [ofSession('s1'), ofSession('s2')];
    expect(await get('/default', its)).toBe('alice');
    app.get(RevocationList).recheck({ sid: 's1' });
    expect(await looks(() => get('/default', its))).toEqual(['jwt cached', 'introspection asked']);
    expect(await looks(() => get('/default', its))).toEqual(['jwt cached', 'introspection asked']);
    expect(await looks(() => get('/default', another))).toEqual(['jwt verified']);
    // The claim `iat` has whole seconds.
    await setTimeout(1001);
    expect(await looks(() => get('/default', ofSession('s1')))).toEqual(['jwt verified']);
    signOut(app, its);
    expect([await get('/default', its), await get('/default', another)]).toEqual([401, 'alice']);
    app.get(RevocationList).recheck('everything');
    expect(await looks(() => get('/default', another))).toEqual(['jwt cached', 'introspection asked']);
  });
});

describe('a guard of the application that calls callerOf()', () => {
  @Injectable()
  class Before implements CanActivate {
    constructor(private readonly guard: KeycloakGuard) {}

    async canActivate(context: ExecutionContext): Promise<boolean> {
      return (await this.guard.callerOf(context)) !== undefined;
    }
  }

  it('uses the verification method of the module, and a stricter handler verifies the token again', async () => {
    const { app, get } = await start({ verification: 'jwt' }, Routes, [Before]);
    const token = signIn(app, testAccessToken(ALICE));
    expect(await looks(() => get('/signed', token))).toEqual(['jwt verified']);
    expect(await looks(() => get('/asked', token))).toEqual(['jwt cached', 'introspection asked']);
    expect(await looks(() => get('/asked', token))).toEqual(['jwt cached', 'introspection cached']);
  });
});

describe('AccessTokenVerifier', () => {
  it('prefers the verification method of the call, and introspects if the call has a maximum age', async () => {
    const { app } = await start({ verification: 'jwt' });
    const verifier = app.get(AccessTokenVerifier);
    const token = signIn(app, testAccessToken(ALICE));
    expect(await looks(() => verifier.verify(token))).toEqual(['jwt verified']);
    expect(await looks(() => verifier.verify(token, { verification: 'introspection' }))).toEqual([
      'introspection asked',
    ]);
    expect(await looks(() => verifier.verify(token, { maxStalenessSeconds: 5 }))).toEqual(['introspection cached']);
    expect(await looks(() => verifier.verify(token, { maxStalenessSeconds: Infinity, verification: 'jwt' }))).toEqual([
      'introspection cached',
    ]);
  });

  it('can not verify signatures in a module without the option jwt', async () => {
    @Module({ imports: [KeycloakTestingModule.forRoot({})] })
    class Service {}
    const app = await Test.createTestingModule({ imports: [Service] }).compile();
    const verifier = app.get(AccessTokenVerifier);
    const token = signIn(app, testAccessToken(ALICE));
    await expect(verifier.verify(token, { verification: 'jwt' })).rejects.toThrow(/needs forRoot\(\{ jwt \}\)/);
    await expect(verifier.verify(token)).resolves.toMatchObject({ subject: 'alice' });
  });
});

describe('the start of an application', () => {
  it('reports the routes that introspect because of @MaxIntrospectionAge', async () => {
    await start({ verification: 'jwt' });
    const report = LINES.find((line) => line.startsWith('Access to each handler')) ?? '';
    expect(report).toMatch(/Routes\.byDefault \(GET\): @Authenticated\(\)$/m);
    expect(report).toMatch(/Routes\.signed \(GET\): @Authenticated\(\) @TokenVerification\('jwt'\)$/m);
    expect(report).toMatch(/Routes\.fresh \(GET\): .*@MaxIntrospectionAge\(\{ seconds: 0 \}\), so by introspection$/m);
  });

  it('fails if a route demands signature verification and the module has no option jwt', async () => {
    await expect(start({ jwt: undefined as never })).rejects.toThrow(
      /^Routes\.signed \(GET\) has @TokenVerification\('jwt'\), but signatures can't be checked\. Set forRoot\(\{ jwt: jwtVerification\(\) \}\) from nestjs-keycloak-s2s\/jwt$/,
    );
  });

  it('fails if the options demand signature verification and have no jwt', () => {
    const options = { issuer: 'https://sso.test/realms/shop', clientId: 'orders', clientSecret: 'x' };
    expect(() => resolveKeycloakOptions({ ...options, verification: 'jwt' })).toThrow(
      /verification is "jwt", so the option jwt is required: use jwtVerification\(\) of nestjs-keycloak-s2s\/jwt/,
    );
    expect(() => resolveKeycloakOptions({ ...options, verification: 'both' as never })).toThrow(
      /verification must be "introspection" or "jwt"/,
    );
    expect(() => resolveKeycloakOptions({ ...options, jwt: {} as never })).toThrow(
      /jwt must be a verification of JWTs, such as jwtVerification\(\)/,
    );
  });
});

describe('@TokenVerification', () => {
  it('rejects values other than introspection and jwt', () => {
    expect(() => TokenVerification('none' as never)).toThrow(
      "@TokenVerification: \"none\" is neither 'introspection' nor 'jwt'",
    );
  });

  it('is allowed once on a route', () => {
    expect(() => {
      class Twice {
        @TokenVerification('jwt')
        @TokenVerification('introspection')
        handler(): void {}
      }
      return Twice;
    }).toThrow('A route or class can have only one of @TokenVerification');
  });

  it('of a base class applies to a subclass if the value is introspection, but not if the value is jwt', async () => {
    class Base {
      @Get('strict')
      @TokenVerification('introspection')
      strict(): string {
        return 'ok';
      }

      @Get('lax')
      @TokenVerification('jwt')
      lax(): string {
        return 'ok';
      }
    }
    @Controller()
    @Authenticated()
    @TokenVerification('jwt')
    class Lax extends Base {}
    @Controller()
    @Authenticated()
    class Plain extends Base {}
    const lax = await start({}, Lax);
    const token = signIn(lax.app, testAccessToken(ALICE));
    expect(await looks(() => lax.get('/strict', token))).toEqual(['introspection asked']);
    expect(await looks(() => lax.get('/lax', token))).toEqual(['jwt verified']);
    const plain = await start({}, Plain);
    const other = signIn(plain.app, testAccessToken(ALICE));
    expect(await looks(() => plain.get('/lax', other))).toEqual(['introspection asked']);
  });

  it('grants no access to a closed route', async () => {
    @Controller()
    class Closed {
      @Get('closed')
      @TokenVerification('jwt')
      closed(): string {
        return 'never';
      }

      @Get('public')
      @Public()
      public(): string {
        return 'ok';
      }
    }
    const { app, get } = await start({}, Closed);
    expect([await get('/closed', signIn(app, testAccessToken(ALICE))), await get('/public', 'junk')]).toEqual([
      403,
      'ok',
    ]);
  });
});
