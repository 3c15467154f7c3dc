import { Controller, Get, Module } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Public } from 'nestjs-keycloak-s2s';
import { KeycloakTestingModule } from 'nestjs-keycloak-s2s/testing';
import request from 'supertest';
import { createService } from './create-service.js';
import { needsNoDns } from './known-hosts.js';

@Controller('run')
@Public()
class OpenController {
  @Get()
  run(): object {
    return { claims: 'of a token' };
  }
}

@Module({ imports: [KeycloakTestingModule.forRoot()], controllers: [OpenController] })
class TestModule {}

const HOSTS = ['service-a', 'shop.example'];
const STRANGE = [
  'rebound.evil.example',
  'rebound.evil.example:3000',
  'localhost.evil.example:3000',
  'localhost.:3000',
  '127.0.0.1.evil.example',
  '127.1:3000',
  '2130706433',
  '0x7f000001:3000',
  'service-a.evil.example',
  'service-a@evil.example',
  'service-b:3001',
  '[::1]evil:3000',
  '[evil]:3000',
  ':3000',
];

describe('a service in demo mode', () => {
  let demo: NestFastifyApplication;
  let other: NestFastifyApplication;
  beforeAll(async () => {
    const settings = { logFormat: 'json' } as const;
    demo = await createService(TestModule, {
      ...settings,
      demo: { hosts: HOSTS, clientSecret: '', urls: {}, secrets: {}, flags: {} },
    });
    other = await createService(TestModule, settings);
    for (const app of [demo, other]) await app.listen(0, '127.0.0.1');
  });
  afterAll(() => Promise.all([demo.close(), other.close()]));

  const call = (app: NestFastifyApplication, host: string, path = '/run'): request.Test =>
    request(app.getHttpServer()).get(path).set('Host', host);

  it.each([
    'localhost:3000',
    'LocalHost',
    '127.0.0.1:3000',
    '192.168.1.5',
    '[::1]:3000',
    '[::1]',
    'service-a:3000',
    'Shop.Example:443',
    'host.docker.internal:3000',
  ])('answers a caller that uses the name %s', async (host) => {
    expect((await call(demo, host)).status).toBe(200);
  });

  it.each(STRANGE)('refuses the host %s, even if DNS resolves the host to this service (BF-06)', async (host) => {
    const { body, headers } = await call(demo, host).expect(421);
    expect(body).toEqual({ error: 'Unknown host name', code: 'host_not_known' });
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': expect.any(String),
      'content-type': 'application/json; charset=utf-8',
    });
    await call(demo, host, '/none').expect(421);
  });

  it('refuses foreign host names, which a service outside demo mode accepts', async () => {
    for (const host of STRANGE) expect((await call(other, host)).status).toBe(200);
  });
});

describe('needsNoDns()', () => {
  it.each(['localhost', 'localhost:80', '10.0.0.1:1', '[2001:db8::1]:3000'])('returns true for %s', (host) => {
    expect(needsNoDns(host)).toBe(true);
  });
  it.each(STRANGE)('returns false for %s', (host) => {
    expect(needsNoDns(host)).toBe(false);
  });
});
