import { Controller, Get, type INestApplication } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import request from 'supertest';
import { KeycloakModule } from '../module/keycloak.module.js';
import type { Denial } from '../protocol/denial.js';
import { tokenHash } from '../protocol/token-hash.js';
import { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import { RevocationList } from '../revocation/revocation-list.js';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { connectionTo } from '../../spec-support/test-realm.js';
import { loginTo, startTestRealm } from '../../../keycloak-test-servers/spec-support/test-realm.js';
import { Authenticated, MaxIntrospectionAge, OptionalToken, Public } from './access.decorators.js';
import { Caller } from './caller.decorator.js';

@Controller()
class Routes {
  @Get('authenticated')
  @Authenticated()
  authenticated(@Caller() token: VerifiedAccessToken): object {
    return { subject: token.subject };
  }

  @Get('fresh')
  @Authenticated()
  @MaxIntrospectionAge({ seconds: 0 })
  fresh(): string {
    return 'ok';
  }

  @Get('optional')
  @OptionalToken()
  optional(@Caller() token: VerifiedAccessToken | undefined): object {
    return { subject: token?.subject ?? null };
  }

  @Get('public')
  @Public()
  public(): string {
    return 'ok';
  }
}

const REVOKED = { error: 'Invalid token', code: 'invalid_token', reason: 'revoked' };

describe('a request with a token that is denied', () => {
  let realm: RunningAuthorizationServer;
  let app: INestApplication;
  let revocations: RevocationList;
  let token: string;

  beforeAll(async () => {
    realm = await startTestRealm();
  });
  beforeEach(async () => {
    realm.control.fault('introspection', undefined);
    realm.control.calls.reset();
    token = await loginTo(realm, 'alice');
    const { realmUrl: _, ...connection } = connectionTo(realm, 'service-a');
    const module = await Test.createTestingModule({
      imports: [KeycloakModule.forRoot({ ...connection, exposeRefusalReasons: true })],
      controllers: [Routes],
    })
      .setLogger({ log: () => undefined, warn: () => undefined, error: () => undefined })
      .compile();
    app = module.createNestApplication(new FastifyAdapter());
    await app.listen(0, '127.0.0.1');
    revocations = app.get(RevocationList);
  });
  afterEach(() => app.close());
  afterAll(() => realm.stop());

  const get = (path: string, text = token): request.Test =>
    request(app.getHttpServer()).get(path).set('Authorization', `Bearer ${text}`);
  const introspections = (): number => realm.control.calls.introspection;
  const sessionOf = (text: string): Denial => ({ sid: String(decodeJwt(text)['sid']) });

  const DENIALS: readonly (readonly [string, (text: string) => Denial])[] = [
    ['with its session', sessionOf],
    ['as a single token', (text) => ({ tokenHash: tokenHash(text) })],
    [
      'with its subject',
      (text) => ({ sub: String(decodeJwt(text).sub), issuedBefore: Number(decodeJwt(text).iat) + 0.5 }),
    ],
  ];

  it.each(DENIALS)(
    'is refused immediately, although its cached result is still active: %s (RS-13)',
    async (_, denial) => {
      await get('/authenticated').expect(200);
      revocations.deny(denial(token));
      for (const path of ['/authenticated', '/optional', '/authenticated']) {
        const { headers } = await get(path).expect(401, REVOKED);
        expect(headers['www-authenticate']).toBe('Bearer realm="service-a", error="invalid_token"');
      }
      expect(introspections()).toBe(1);
      await get('/public').expect(200);
      realm.control.fault('introspection', { kind: 'members', members: { iat: Number(decodeJwt(token).iat) + 1 } });
      await get('/authenticated', await loginTo(realm, 'alice')).expect(200);
    },
  );

  it('is refused although a new introspection finds the token active (RS-13)', async () => {
    await get('/fresh').expect(200);
    revocations.deny(sessionOf(token));
    await get('/fresh').expect(401, REVOKED);
    expect(introspections()).toBe(2);
  });

  it('is refused if the denial arrives during the first introspection of the token (RS-13)', async () => {
    realm.control.fault('introspection', { kind: 'delay', milliseconds: 200, times: 1 });
    const waiting = Promise.all([get('/authenticated'), get('/authenticated')]);
    while (introspections() === 0) await new Promise(setImmediate);
    revocations.deny(sessionOf(token));
    expect((await waiting).map(({ status, body }) => [status, body])).toEqual([
      [401, REVOKED],
      [401, REVOKED],
    ]);
    await get('/authenticated').expect(401, REVOKED);
    expect(introspections()).toBe(1);
  });

  it('is refused although this service has never received the token before', async () => {
    revocations.deny(sessionOf(token));
    const { status, body } = await get('/authenticated');
    expect([status, body]).toEqual([401, REVOKED]);
  });

  it('does not affect another user, or another session of the same user', async () => {
    const [other, bobs] = [await loginTo(realm, 'alice'), await loginTo(realm, 'bob')];
    revocations.deny(sessionOf(token));
    const statuses = [];
    for (const text of [other, bobs, token]) statuses.push((await get('/authenticated', text)).status);
    expect(statuses).toEqual([200, 200, 401]);
  });
});
