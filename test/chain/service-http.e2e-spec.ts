import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, Module, Post, Req, Res, type INestApplication } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import axios, { type AxiosRequestConfig, type AxiosResponse } from 'axios';
import { testServer } from 'keycloak-test-servers';
import {
  AccessTokenVerifier,
  KeycloakModule,
  RequirePermission,
  VerifiedAccessToken,
  type KeycloakModuleOptions,
} from 'nestjs-keycloak-s2s';
import { InjectServiceHttp, ServiceHttp, ServiceHttpModule } from 'nestjs-keycloak-s2s/axios';
import { firstValueFrom, type Observable } from 'rxjs';
import { login, revoke, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import { connectToKeycloak, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import description from '../../services.json' with { type: 'json' };

const SILENT = { log: () => undefined, warn: () => undefined, error: () => undefined };

@Controller('files')
@RequirePermission('receipts.read')
class FilesController {
  readonly authorizations: (string | undefined)[] = [];

  @Post('echo')
  echo(@Req() request: IncomingMessage, @Res() response: ServerResponse): void {
    this.authorizations.push(request.headers.authorization);
    response.setHeader('Content-Type', request.headers['content-type'] ?? 'none');
    request.pipe(response);
  }

  @Post('form')
  async form(@Req() request: IncomingMessage): Promise<object> {
    this.authorizations.push(request.headers.authorization);
    const headers = { 'Content-Type': request.headers['content-type'] ?? '' };
    const form = await new Response(await buffer(request), { headers }).formData();
    const file = form.get('file') as File;
    return { name: form.get('name'), file: file.name, size: file.size };
  }

  @Get('text')
  text(@Res() response: ServerResponse): void {
    response.setHeader('Content-Type', 'text/csv').end('a,b\n1,2\n');
  }
}

@Controller('approvals')
class ApprovalsController {
  @Get()
  @RequirePermission('orders.approve')
  approvals(): object {
    return { approved: true };
  }
}

const options = (clientId: keyof typeof description.services): KeycloakModuleOptions => {
  const { baseUrl, issuer } = testServer();
  const { demoSecret: clientSecret } = description.services[clientId];
  return { internalServerUrl: baseUrl, issuer, clientId, clientSecret, allowInsecureRequests: true };
};

@Injectable()
class Caller {
  constructor(@InjectServiceHttp('files') readonly files: ServiceHttp) {}
}

let keycloak: ContractServer;
let target: INestApplication;
let application: INestApplication;
let files: ServiceHttp;
const callers: Record<string, VerifiedAccessToken> = {};

beforeAll(async () => {
  keycloak = await connectToKeycloak();
  @Module({
    imports: [KeycloakModule.forRoot({ ...options('service-b'), introspectionTtlSeconds: 0 })],
    controllers: [FilesController, ApprovalsController],
  })
  class TargetModule {}
  const targetModule = await Test.createTestingModule({ imports: [TargetModule] })
    .setLogger(SILENT)
    .compile();
  target = targetModule.createNestApplication(new ExpressAdapter(), { bodyParser: false });
  await target.listen(0, '127.0.0.1');

  @Module({
    imports: [
      KeycloakModule.forRoot(options('service-a')),
      ServiceHttpModule.register([{ name: 'files', baseURL: await target.getUrl(), audience: 'service-b' }]),
    ],
    providers: [Caller],
  })
  class ApplicationModule {}
  const module = await Test.createTestingModule({ imports: [ApplicationModule] })
    .setLogger(SILENT)
    .compile();
  application = await module.createNestApplication().init();
  files = application.get(Caller).files;
  for (const user of ['alice', 'bob']) {
    callers[user] = await application.get(AccessTokenVerifier).verify(textOf(await login(keycloak, user)));
  }
});

afterAll(async () => {
  await application.close();
  await target.close();
  await keycloak.stop();
});

const bob = () => files.onBehalfOf(callers['bob'] as VerifiedAccessToken, 'receipts.read');
const got = <T>(observable: Observable<AxiosResponse<T>>): Promise<AxiosResponse<T>> => firstValueFrom(observable);
const echoed = async (data: unknown, config: AxiosRequestConfig = {}): Promise<[string, string]> => {
  const { headers, data: body } = await got(
    bob().post<string>('/files/echo', data, { responseType: 'text', ...config }),
  );
  return [String(headers['content-type']), body];
};

describe('HttpService with real tokens', () => {
  it('sends JSON, text, forms, bytes and streams', async () => {
    expect(await echoed({ a: 1 })).toEqual(['application/json', '{"a":1}']);
    expect(await echoed('text', { headers: { 'Content-Type': 'text/plain' } })).toEqual(['text/plain', 'text']);
    const [type, form] = await echoed(new URLSearchParams({ a: 'b' }));
    expect([type, form]).toEqual(['application/x-www-form-urlencoded;charset=utf-8', 'a=b']);
    expect((await echoed(Buffer.from('bytes')))[1]).toBe('bytes');
    expect((await echoed(Readable.from(['a', 'stream'])))[1]).toBe('astream');
  });

  it('uploads a form that contains a file, and reports the progress', async () => {
    const form = new FormData();
    form.append('name', 'bob');
    form.append('file', new Blob([Buffer.alloc(300_000, 1)]), 'scan.pdf');
    let sent = 0;
    const { data } = await got(
      bob().post('/files/form', form, { onUploadProgress: ({ loaded }) => void (sent = loaded) }),
    );
    expect(data).toEqual({ name: 'bob', file: 'scan.pdf', size: 300_000 });
    expect(sent).toBeGreaterThan(300_000);
    const fields = { name: 'bob', file: Buffer.alloc(10) };
    expect((await got(bob().postForm('/files/form', fields))).data).toMatchObject({ name: 'bob', size: 10 });
  });

  it('streams a request and its response at the same time', async () => {
    const sent = Buffer.alloc(5_000_000, 'x');
    let received = 0;
    const { data } = await got(
      bob().post<Readable>('/files/echo', Readable.from([sent.subarray(0, 2_000_000), sent.subarray(2_000_000)]), {
        responseType: 'stream',
        onDownloadProgress: ({ loaded }) => void (received = loaded),
      }),
    );
    expect((await buffer(data)).equals(sent)).toBe(true);
    expect(received).toBe(sent.length);
  });

  it('reads text and bytes', async () => {
    expect((await got(bob().get('/files/text'))).data).toBe('a,b\n1,2\n');
    const { data } = await got(bob().get<Buffer>('/files/text', { responseType: 'arraybuffer' }));
    expect(data).toEqual(Buffer.from('a,b\n1,2\n'));
    expect(await text((await got(bob().get<Readable>('/files/text', { responseType: 'stream' }))).data)).toContain(
      '1,2',
    );
  });

  it('runs the interceptors of the application, which do not see the token', async () => {
    const shown: string[] = [];
    const request = files.axiosRef.interceptors.request.use((config) => {
      shown.push(inspect(config, { depth: 12, showHidden: true, getters: true }));
      return config;
    });
    const response = files.axiosRef.interceptors.response.use((answer) => {
      shown.push(inspect(answer, { depth: 12, showHidden: true, getters: true }));
      return answer;
    });
    await echoed({ a: 1 });
    files.axiosRef.interceptors.request.eject(request);
    files.axiosRef.interceptors.response.eject(response);
    await echoed({ a: 1 });
    expect(shown).toHaveLength(2);
    const { authorizations } = target.get(FilesController);
    const sent = String(authorizations.at(-1)).replace('Bearer ', '');
    expect(sent.split('.')).toHaveLength(3);
    for (const one of shown) expect(one).not.toContain(sent);
  });

  it('reports the permission that the user or the requested scope lacks', async () => {
    const refused = got(files.onBehalfOf(callers['bob'] as VerifiedAccessToken, 'orders.approve').get('/approvals'));
    await expect(refused).rejects.toMatchObject({ code: 'insufficient_scope', permission: 'orders.approve' });
    const wrongScope = got(
      files.onBehalfOf(callers['alice'] as VerifiedAccessToken, 'receipts.read').get('/approvals'),
    );
    await expect(wrongScope).rejects.toMatchObject({ code: 'insufficient_scope', permission: 'orders.approve' });
  });

  it('calls a service with a token of the application', async () => {
    expect((await got(files.asService('orders.approve').get('/approvals'))).data).toEqual({ approved: true });
  });

  it('renews a revoked token, and sends the refused form again', async () => {
    await echoed({ a: 1 });
    const { authorizations } = target.get(FilesController);
    const revoked = String(authorizations.at(-1)).replace('Bearer ', '');
    expect((await revoke(keycloak, 'service-a', revoked)).status).toBe(200);
    const form = new FormData();
    form.append('name', 'bob');
    form.append('file', new Blob(['x']), 'a');
    expect((await got(bob().post('/files/form', form))).data).toMatchObject({ name: 'bob' });
    expect(authorizations.at(-1)).not.toBe(`Bearer ${revoked}`);
  });

  it('refuses a call to another host, and a call without onBehalfOf or asService', async () => {
    for (const url of ['http://127.0.0.1:9/files/text', '//127.0.0.1:9/files/text']) {
      await expect(got(bob().get(url))).rejects.toBeInstanceOf(TypeError);
    }
    await expect(files.axiosRef.get('/files/text')).rejects.toThrow('choose onBehalfOf(…) or asService(…)');
    expect(axios.defaults.headers.common['Authorization']).toBeUndefined();
  });
});
