import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { Injectable, Module, type DynamicModule, type INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { AxiosResponse } from 'axios';
import { firstValueFrom, type Observable } from 'rxjs';
import { KeycloakModule } from '../../index.js';
import { KeycloakTestingModule, testAccessToken, testServices, signIn } from '../../testing/index.js';
import { getServiceHttpToken, InjectServiceHttp, ServiceHttp, ServiceHttpModule } from './index.js';

const SILENT = { log: () => undefined, warn: () => undefined, error: () => undefined };
const REGISTERED = { name: 'inventory', baseURL: 'https://inventory.internal/base', audience: 'inventory' };
const got = <T>(observable: Observable<AxiosResponse<T>>): Promise<AxiosResponse<T>> => firstValueFrom(observable);

@Injectable()
class Caller {
  constructor(@InjectServiceHttp('inventory') readonly inventory: ServiceHttp) {}
}

async function applicationWith(services: DynamicModule): Promise<INestApplication> {
  const root = KeycloakModule.forRoot({
    issuer: 'https://sso.example.com/realms/shop',
    clientId: 'orders',
    clientSecret: 'a secret',
  });
  @Module({ imports: [root, services], providers: [Caller] })
  class AppModule {}
  const builder = KeycloakTestingModule.override(Test.createTestingModule({ imports: [AppModule] }));
  return (await builder.setLogger(SILENT).compile()).createNestApplication().init();
}

describe('ServiceHttpModule', () => {
  it('provides a ServiceHttp from options, and from a factory with imports', async () => {
    @Module({ providers: [{ provide: 'url', useValue: REGISTERED.baseURL }], exports: ['url'] })
    class SettingsModule {}
    const factory = {
      name: 'inventory',
      imports: [SettingsModule],
      inject: ['url'],
      useFactory: async (baseURL: string) => ({ baseURL, audience: 'inventory' }),
    };
    for (const services of [ServiceHttpModule.register([REGISTERED]), ServiceHttpModule.registerAsync([factory])]) {
      const app = await applicationWith(services);
      expect(app.get(Caller).inventory).toBeInstanceOf(ServiceHttp);
      expect(app.get(getServiceHttpToken('inventory'), { strict: false })).toBe(app.get(Caller).inventory);
      await app.close();
    }
  });

  it('rejects invalid options and lists every fault', async () => {
    const faulty = { name: 'inventory', baseURL: 'ftp://x', audience: '', timeoutMs: 1, baseUrl: 'https://x' };
    await expect(applicationWith(ServiceHttpModule.register([faulty]))).rejects.toMatchObject({
      name: 'KeycloakOptionsError',
      message: expect.stringMatching(/^ServiceHttpModule, service "inventory", has 4 faults/) as unknown,
      faults: [
        'unknown option "baseUrl"',
        'baseURL must be an http(s) URL without credentials, query and fragment',
        'audience must be given',
        'timeoutMs must be a whole number from 100 to 300000',
      ],
    });
    const plain = ServiceHttpModule.register([{ ...REGISTERED, baseURL: 'http://inventory' }]);
    await expect(applicationWith(plain)).rejects.toThrow('baseURL must be https:');
    expect(() => ServiceHttpModule.register([REGISTERED, REGISTERED])).toThrow('name "inventory" is given twice');
  });

  it('makes compile() reject if the application does not import KeycloakModule', async () => {
    const module = Test.createTestingModule({
      imports: [ServiceHttpModule.register([REGISTERED])],
      providers: [Caller],
    });
    await expect(module.compile()).rejects.toThrow(/resolve dependencies/);
  });
});

describe('testServices', () => {
  it('records the body of each call of HttpService, and answers the call', async () => {
    const app = await applicationWith(ServiceHttpModule.register([REGISTERED]));
    const alice = testAccessToken({ subject: 'alice', grantableScopes: ['stock.write'] });
    signIn(app, alice);
    const services = testServices(app);
    services.on('inventory', 'POST', '/stock').reply(201, { left: 3 });
    services.on('inventory', 'GET', '/list').reply(200, 'a,b\n', { 'content-type': 'text/csv' });
    services.on('inventory', 'GET', '/scan').reply(200, Buffer.from([0, 255]));
    const http = app.get(Caller).inventory.onBehalfOf(alice, 'stock.write');
    expect((await got(http.post('/stock', { sku: 'A-1' }))).data).toEqual({ left: 3 });
    await got(http.post('/stock', new URLSearchParams({ sku: 'A-1' })));
    await got(http.post('/stock', Readable.from(['by', 'tes']), { headers: { 'Content-Type': 'image/png' } }));
    expect((await got(http.get('/list'))).data).toBe('a,b\n');
    expect(await text((await got(http.get<Readable>('/list', { responseType: 'stream' }))).data)).toBe('a,b\n');
    expect((await got(http.get('/scan', { responseType: 'arraybuffer' }))).data).toEqual(Buffer.from([0, 255]));
    expect(
      services.calls
        .slice(0, 3)
        .map(({ path, body, subject, audience, scope }) => [path, body, subject, audience, scope]),
    ).toEqual([
      ['/stock', { sku: 'A-1' }, 'alice', 'inventory', 'stock.write'],
      ['/stock', 'sku=A-1', 'alice', 'inventory', 'stock.write'],
      ['/stock', Buffer.from('bytes'), 'alice', 'inventory', 'stock.write'],
    ]);
    services.on('inventory', 'GET', '/list').fail('timeout');
    await expect(got(http.get('/list'))).rejects.toMatchObject({ code: 'service_timeout', service: 'inventory' });
    await expect(got(http.get('/nothing'))).rejects.toMatchObject({ code: 'service_unavailable' });
    expect(services.unexpected.map(({ path }) => path)).toEqual(['/nothing']);
    await app.close();
  });
});
