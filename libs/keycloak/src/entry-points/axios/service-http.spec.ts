import { getMaxListeners, once } from 'node:events';
import { createReadStream } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { HttpService } from '@nestjs/axios';
import axios, { AxiosHeaders, type AxiosProgressEvent, type AxiosRequestConfig, type AxiosResponse } from 'axios';
import { catchError, firstValueFrom, of, type Observable } from 'rxjs';
import { CALL_BOUNDS } from '../../../spec-support/next-service.js';
import { ServiceClient } from '../../client/service-client.js';
import { ServiceTransport } from '../../client/service-transport.js';
import type { TokenSource } from '../../client/token-source.js';
import { BearerError, ServiceCallError, type ServiceOptions } from '../../index.js';
import { IssuedToken } from '../../protocol/issued-token.js';
import { testAccessToken } from '../../testing/test-access-token.js';
import { tokenText } from '../../testing/token-text.js';
import { requestBody } from './request-body.js';
import { ServiceHttp, type ServiceHttpDefaults } from './service-http.service.js';
import { audience } from '../../../spec-support/one-issuer.js';

const TOKENS = [tokenText('first'), tokenText('renewed')] as const;
const AUTHORIZATIONS = TOKENS.map((token) => `Bearer ${token}`);
const ALICE = testAccessToken({ subject: 'alice' });

let server: Server;
let handler: RequestListener;
let seen: IncomingMessage[];
let requested: number;
let renewals: number;
let tokenMs: number;

const tokens = {
  get: () => {
    requested += 1;
    const token = new IssuedToken(TOKENS[Math.min(renewals, 1)] ?? '', ['orders.approve'], 300);
    return tokenMs === 0 ? token : new Promise((resolve) => setTimeout(resolve, tokenMs, token));
  },
  dropRefused: () => {
    renewals += 1;
    return renewals === 1;
  },
} as unknown as TokenSource;

const origin = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

interface Settings extends Partial<Omit<ServiceOptions, 'baseUrl' | 'audience' | 'tls'>> {
  readonly defaults?: ServiceHttpDefaults;
  readonly path?: string;
}

function serviceHttp({ defaults = {}, path = '/base', ...bounds }: Settings = {}): ServiceHttp {
  const baseURL = origin() + path;
  const transport = new ServiceTransport({
    name: 'service-b',
    baseUrl: baseURL,
    timeoutMs: 60_000,
    maxResponseBytes: 1_048_576,
    ...CALL_BOUNDS,
    ...bounds,
  });
  const service = () => new ServiceClient('service-b', audience('service-b'), transport, tokens);
  return new ServiceHttp('service-b', { baseURL, audience: 'service-b', defaults }, { service } as never);
}

const asService = (settings?: Settings): HttpService => serviceHttp(settings).asService('orders.approve');
const got = <T>(observable: Observable<AxiosResponse<T>>): Promise<AxiosResponse<T>> => firstValueFrom(observable);
const failed = (observable: Observable<unknown>): Promise<unknown> =>
  firstValueFrom(observable).then(
    () => undefined,
    (error: unknown) => error,
  );
const answer =
  (status: number, body: string | Buffer = '', headers: Record<string, string | string[]> = {}): RequestListener =>
  (_, response) =>
    void response.writeHead(status, headers).end(body);
const json = (body: unknown, status = 200): RequestListener =>
  answer(status, JSON.stringify(body), { 'Content-Type': 'application/json' });
const INVALID_TOKEN = answer(401, '', { 'WWW-Authenticate': 'Bearer error="invalid_token"' });
const echo: RequestListener = (request, response) => {
  response.writeHead(200, { 'Content-Type': request.headers['content-type'] ?? 'none' });
  request.pipe(response);
};
const refusesFirst =
  (then: RequestListener): RequestListener =>
  (request, response) =>
    (request.headers.authorization === AUTHORIZATIONS[0] ? drained(INVALID_TOKEN) : then)(request, response);
const drained =
  (then: RequestListener): RequestListener =>
  (request, response) =>
    void request.resume().once('end', () => then(request, response));

const closeOf = (side: IncomingMessage | ServerResponse): Promise<void> =>
  new Promise((resolve) => side.on('error', () => undefined).once('close', resolve));

beforeEach(async () => {
  [seen, requested, renewals, tokenMs] = [[], 0, 0, 0];
  handler = json({ ok: true });
  server = createServer((request, response) => {
    seen.push(request);
    handler(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe('ServiceHttp', () => {
  it('sends a bearer token for asService and onBehalfOf, and returns the response of axios', async () => {
    const http = serviceHttp();
    expect((await got(http.asService('orders.approve').get('/orders'))).data).toEqual({ ok: true });
    const { data, status, statusText, headers } = await got(http.onBehalfOf(ALICE, 'orders.approve').get('/orders'));
    expect({ data, status, statusText }).toEqual({ data: { ok: true }, status: 200, statusText: 'OK' });
    expect(headers['content-type']).toBe('application/json');
    expect(seen.map(({ url, headers: sent }) => [url, sent.authorization])).toEqual([
      ['/base/orders', AUTHORIZATIONS[0]],
      ['/base/orders', AUTHORIZATIONS[0]],
    ]);
    expect(seen[0]?.headers['accept-encoding']).toBe('identity');
  });

  it('has the methods of HttpService, and encodes query parameters', async () => {
    const http = asService();
    await got(http.get('/a', { params: { q: 'ä b', list: [1, 2] } }));
    await got(http.post('/a', { x: 1 }));
    await got(http.put('/a', { x: 1 }));
    await got(http.patch('/a', { x: 1 }));
    await got(http.delete('/a'));
    await got(http.head('/a'));
    await got(http.request({ url: '/a', method: 'OPTIONS' }));
    expect(seen.map(({ method }) => method)).toEqual(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']);
    expect(seen[0]?.url).toBe('/base/a?q=%C3%A4+b&list%5B%5D=1&list%5B%5D=2');
  });

  it('returns text, bytes, JSON, a Blob or a stream, depending on responseType', async () => {
    const http = asService();
    const bytes = Buffer.from([0, 255, 1, 254]);
    handler = answer(200, bytes);
    expect((await got(http.get<Buffer>('/a', { responseType: 'arraybuffer' }))).data).toEqual(bytes);
    expect(Buffer.from(await (await got(http.get<Blob>('/a', { responseType: 'blob' }))).data.arrayBuffer())).toEqual(
      bytes,
    );
    expect(await buffer((await got(http.get<Readable>('/a', { responseType: 'stream' }))).data)).toEqual(bytes);
    handler = answer(200, '\uFEFFgrüße');
    expect((await got(http.get('/a'))).data).toBe('grüße');
    expect((await got(http.get('/a', { responseType: 'text' }))).data).toBe('grüße');
    handler = answer(200, '{"a":1}');
    expect((await got(http.get('/a', { responseType: 'text' }))).data).toBe('{"a":1}');
    expect((await got(http.get('/a', { responseType: 'json' }))).data).toEqual({ a: 1 });
    handler = answer(204, '', { 'Set-Cookie': ['a=1', 'b=2'] });
    const { headers, data } = await got(http.get('/a'));
    expect([headers['set-cookie'], data]).toEqual([['a=1', 'b=2'], '']);
  });

  it('sends JSON, text, bytes, forms, uploads and streams', async () => {
    const http = asService();
    handler = echo;
    const sent = async (data: unknown, config: AxiosRequestConfig = {}): Promise<[string, string]> => {
      const { headers, data: body } = await got(http.post<string>('/a', data, { responseType: 'text', ...config }));
      return [String(headers['content-type']), body];
    };
    expect(await sent({ a: 'ä' })).toEqual(['application/json', '{"a":"ä"}']);
    expect(await sent(undefined)).toEqual(['none', '']);
    expect(await sent('plain', { headers: { 'Content-Type': 'text/plain' } })).toEqual(['text/plain', 'plain']);
    expect(await sent(Buffer.from('bytes'))).toEqual(['application/x-www-form-urlencoded', 'bytes']);
    expect(await sent(new URLSearchParams({ a: 'b c' }))).toEqual([
      'application/x-www-form-urlencoded;charset=utf-8',
      'a=b+c',
    ]);
    expect(await sent(Readable.from(['one', 'two']), { headers: { 'Content-Type': 'text/plain' } })).toEqual([
      'text/plain',
      'onetwo',
    ]);
    const form = new FormData();
    form.append('name', 'alice');
    form.append('file', new Blob([Buffer.alloc(100_000, 7)]), 'a.bin');
    for (const upload of [
      () => got(http.post<Buffer>('/a', form, { responseType: 'arraybuffer' })),
      () =>
        got(
          http.postForm<Buffer>(
            '/a',
            { name: 'alice', file: Buffer.alloc(100_000, 7) },
            { responseType: 'arraybuffer' },
          ),
        ),
    ]) {
      const { headers, data } = await upload();
      const received = await new Response(data, {
        headers: { 'Content-Type': String(headers['content-type']) },
      }).formData();
      expect(received.get('name')).toBe('alice');
      expect((received.get('file') as Blob).size).toBe(100_000);
    }
  });

  it('reports the progress of the upload and of the download', async () => {
    handler = (request, response) => {
      void buffer(request).then((body) => response.writeHead(200, { 'Content-Length': body.length }).end(body));
    };
    const up: AxiosProgressEvent[] = [];
    const down: AxiosProgressEvent[] = [];
    await got(
      asService().post('/a', Readable.from([Buffer.alloc(60_000), Buffer.alloc(40_000)]), {
        headers: { 'Content-Length': '100000', 'Content-Type': 'application/octet-stream' },
        responseType: 'arraybuffer',
        onUploadProgress: (event) => void up.push(event),
        onDownloadProgress: (event) => void down.push(event),
      }),
    );
    expect(up).toEqual([
      { loaded: 60_000, bytes: 60_000, total: 100_000, progress: 0.6, lengthComputable: true, upload: true },
      { loaded: 100_000, bytes: 40_000, total: 100_000, progress: 1, lengthComputable: true, upload: true },
    ]);
    expect(down.at(-1)).toMatchObject({ loaded: 100_000, progress: 1, download: true });
  });

  it('runs the interceptors of the application, which do not see the token', async () => {
    const http = serviceHttp({ defaults: { headers: { 'X-Default': 'd' } } });
    const shown: string[] = [];
    http.axiosRef.interceptors.request.use((config) => {
      shown.push(inspect(config, { depth: 9, showHidden: true, getters: true }));
      config.headers.set('X-Request-Id', 'r1');
      return config;
    });
    http.axiosRef.interceptors.response.use((response) => {
      shown.push(inspect(response, { depth: 9, showHidden: true, getters: true }));
      response.data = { ...(response.data as object), seen: true };
      return response;
    });
    const { data, request } = await got(http.asService('orders.approve').get('/a'));
    expect([data, request]).toEqual([{ ok: true, seen: true }, undefined]);
    expect(seen[0]?.headers).toMatchObject({ 'x-request-id': 'r1', 'x-default': 'd' });
    expect(shown).toHaveLength(2);
    for (const one of shown) expect(one).not.toContain(TOKENS[0]);
  });

  it('lets an interceptor retry a call with the config of the error', async () => {
    const http = serviceHttp();
    http.axiosRef.interceptors.response.use(
      undefined,
      (error: { config: AxiosRequestConfig; response?: AxiosResponse }) =>
        error.response?.status === 500
          ? http.asService('orders.approve').axiosRef.request(error.config)
          : Promise.reject(error as never),
    );
    handler = (request, response) => (seen.length === 1 ? answer(500) : json({ again: true }))(request, response);
    expect((await got(http.asService('orders.approve').get('/a'))).data).toEqual({ again: true });
  });

  it('refuses a call through axiosRef', async () => {
    const http = serviceHttp();
    await expect(http.axiosRef.get('/a')).rejects.toThrow('choose onBehalfOf(…) or asService(…)');
    expect(() => http.asService('')).toThrow(TypeError);
    expect(() => http.onBehalfOf(ALICE, 'two  "words')).toThrow(TypeError);
    expect(seen).toEqual([]);
  });
});

describe('ServiceHttp tokens', () => {
  const EVIL = 'http://127.0.0.1:9';

  it.each<[string, AxiosRequestConfig]>([
    ['an absolute URL', { url: `${EVIL}/base/a` }],
    ['a URL without its scheme', { url: '//127.0.0.1:9/base/a' }],
    ['another baseURL', { baseURL: EVIL }],
    ['no baseURL', { baseURL: '' }],
    ['a path above the base URL', { url: '/../other' }],
    ['an encoded path above the base URL', { url: '/%2e%2e/other' }],
    ['a path beside the base URL', { url: '/a', baseURL: 'BASE-beside' }],
    ['a slash that is encoded', { url: '/..%2fa' }],
    ['another host behind user info', { url: 'http://127.0.0.1@127.0.0.1:9/base/a' }],
    ['a user name and a password in the URL', { url: 'NAMED' }],
    ['another scheme', { url: 'ftp://127.0.0.1/base/a' }],
    ['a proxy', { proxy: { host: '127.0.0.1', port: 9 } }],
    ['redirects', { maxRedirects: 5 }],
    ['an agent', { httpAgent: {} }],
    ['a socket', { socketPath: '/tmp/socket' }],
    ['a transport', { transport: {} }],
    ['a function for DNS lookups', { lookup: () => undefined }],
    ['a user name and a password in the option auth', { auth: { username: 'a', password: 'b' } }],
    ['an adapter', { adapter: () => Promise.reject(new Error('went out')) }],
    ['the header Authorization', { headers: { Authorization: 'Bearer other' } }],
    ['the header Host', { headers: { Host: 'other' } }],
    ['the header Cookie', { headers: { Cookie: 'a=b' } }],
    ['a method that opens a tunnel', { method: 'CONNECT' }],
  ])('refuses a call with %s, and requests no token', async (_, config) => {
    const { baseURL, url } = config;
    const named = url === 'NAMED' ? { url: `${origin().replace('//', '//name:word@')}/base/a` } : {};
    const beside = baseURL === 'BASE-beside' ? { baseURL: `${origin()}/base-beside` } : {};
    const error = await failed(asService().request({ url: '/a', ...config, ...named, ...beside }));
    expect(error).toBeInstanceOf(TypeError);
    expect([seen.length, requested]).toEqual([0, 0]);
  });

  it.each<[string, ServiceHttpDefaults]>([
    ['a proxy', { proxy: { host: '127.0.0.1', port: 9 } } as ServiceHttpDefaults],
    ['an agent', { httpsAgent: {} } as ServiceHttpDefaults],
    ['redirects', { maxRedirects: 5 } as ServiceHttpDefaults],
  ])('refuses defaults that could send the token to another server: %s', (_, defaults) => {
    expect(() => serviceHttp({ defaults })).toThrow(TypeError);
  });

  it('does not follow a redirect', async () => {
    handler = answer(302, '', { Location: `${EVIL}/a` });
    expect(await failed(asService().get('/a'))).toMatchObject({ code: 'service_failed', reason: 'answered_302' });
    expect(seen).toHaveLength(1);
  });

  it('ignores a proxy from the environment', async () => {
    process.env['HTTP_PROXY'] = process.env['http_proxy'] = EVIL;
    try {
      await got(asService().get('/a'));
    } finally {
      delete process.env['HTTP_PROXY'];
      delete process.env['http_proxy'];
    }
    expect(seen).toHaveLength(1);
  });

  it('refuses a call if an interceptor or a changed default sets another origin', async () => {
    const http = asService();
    http.axiosRef.defaults.baseURL = EVIL;
    expect(await failed(http.get('/a'))).toBeInstanceOf(TypeError);
    const other = asService();
    other.axiosRef.interceptors.request.use((config) => Object.assign(config, { url: `${EVIL}/a` }));
    expect(await failed(other.get('/a'))).toBeInstanceOf(TypeError);
    expect(seen).toEqual([]);
  });

  it.each<[string, () => unknown]>([
    ['JSON', () => ({ a: 1 })],
    ['nothing', () => undefined],
    ['a form', () => Object.assign(new FormData(), {})],
    ['form fields', () => new URLSearchParams({ a: '1' })],
    ['bytes', () => Buffer.from('bytes')],
  ])('renews a refused token and repeats the call (body: %s)', async (_, body) => {
    handler = refusesFirst(json({ ok: true }));
    const data = body();
    if (data instanceof FormData) data.append('a', '1');
    expect((await got(asService().post('/a', data))).status).toBe(200);
    expect(seen.map(({ headers }) => headers.authorization)).toEqual(AUTHORIZATIONS);
  });

  it('reports service_refused if the service also refuses the renewed token', async () => {
    handler = drained(INVALID_TOKEN);
    expect(await failed(asService().post('/a', {}))).toMatchObject({ code: 'service_refused', status: 401 });
    expect(seen).toHaveLength(2);
  });

  it('does not repeat a call with a streamed body, but renews the token', async () => {
    handler = refusesFirst(json({ ok: true }));
    const http = asService();
    const stream = Readable.from(['a', 'b']);
    expect(await failed(http.post('/a', stream))).toMatchObject({ code: 'service_refused', status: 401 });
    expect(seen).toHaveLength(1);
    expect((await got(http.post('/a', Readable.from(['a'])))).status).toBe(200);
  });

  it.each<[string, RequestListener]>([
    ['answers 401', (_, response) => void response.writeHead(401, { 'X-Echo': `Bearer ${TOKENS[0]}` }).end('no')],
    [
      'repeats the token in an error',
      (request, response) => void response.writeHead(500).end(JSON.stringify(request.headers)),
    ],
    [
      'repeats the token in JSON with escapes',
      (request, response) =>
        void response.writeHead(500).end(
          JSON.stringify(request.headers)
            .replaceAll('.', String.raw`\u002E`)
            .replaceAll('J9', String.raw`J\u0039`),
        ),
    ],
    [
      'repeats the token in invalid JSON',
      (request, response) => void response.end(`{${String(request.headers.authorization)}`),
    ],
    ['closes the connection', (_, response) => void response.destroy()],
    ['answers 403', (request, response) => void response.writeHead(403).end(String(request.headers.authorization))],
  ])('throws an error without the token if the service %s', async (_, script) => {
    handler = script;
    for (const responseType of ['json', 'text', 'arraybuffer', 'stream'] as const) {
      const http = serviceHttp();
      const errors: unknown[] = [];
      http.axiosRef.interceptors.response.use(undefined, (error: unknown) => {
        errors.push(error);
        return Promise.reject(error as never);
      });
      const outcome = await got(http.onBehalfOf(ALICE, 'orders.approve').get('/a', { responseType })).catch(
        (error: unknown) => error,
      );
      for (const error of [outcome, ...errors].filter((one) => one instanceof Error)) {
        expect(inspect(error, { depth: 12, showHidden: true, getters: true })).not.toContain(TOKENS[0]);
        const { response } = error as unknown as { readonly response?: AxiosResponse };
        expect(inspect(response, { depth: 12, showHidden: true, getters: true })).not.toContain(TOKENS[0]);
        expect(JSON.stringify([error, response?.data, response?.headers])).not.toContain(TOKENS[0]);
      }
    }
  });

  it('does not expose the token in the stream of an answer', async () => {
    handler = answer(200, 'x'.repeat(100_000));
    const { data } = await got(asService().get<Readable>('/a', { responseType: 'stream' }));
    expect(inspect(data, { depth: 12, showHidden: true, getters: true })).not.toContain(TOKENS[0]);
    await text(data);
  });
});

describe('ServiceHttp errors', () => {
  it('throws a ServiceCallError that is also an AxiosError and does not print the answer', async () => {
    handler = json({ error: 'No such order', code: 'order_not_found' }, 404);
    const error = await failed(asService().get('/a'));
    expect(error).toBeInstanceOf(ServiceCallError);
    expect(error).toMatchObject({ code: 'service_failed', status: 404, body: { code: 'order_not_found' } });
    if (!axios.isAxiosError(error)) throw new Error('axios does not know it');
    expect(error.response?.data).toEqual({ error: 'No such order', code: 'order_not_found' });
    expect(error.config?.url).toBe('/a');
    expect(error.request).toBeUndefined();
    expect(inspect(error)).not.toContain('No such order');
    expect(JSON.stringify(error)).not.toContain('No such order');
  });

  it('names the permission that the caller lacks at the called service', async () => {
    handler = json({ error: 'no', code: 'insufficient_scope', permission: 'orders.approve' }, 403);
    for (const responseType of ['json', 'stream'] as const) {
      const error = await failed(serviceHttp().onBehalfOf(ALICE, 'orders.approve').get('/a', { responseType }));
      expect(error).toBeInstanceOf(BearerError);
      expect(error).toMatchObject({ code: 'insufficient_scope', permission: 'orders.approve' });
    }
    expect(await failed(asService().get('/a'))).toMatchObject({ code: 'service_refused' });
  });

  it('throws an error that names the login that the called service requires (RS-11)', async () => {
    const challenge = 'Bearer error="insufficient_user_authentication", acr_values="gold", max_age=60';
    let sent = 0;
    handler = (request, response) => {
      sent += 1;
      response.setHeader('www-authenticate', challenge);
      json({ code: 'insufficient_user_authentication' }, 401)(request, response);
    };
    const error = await failed(serviceHttp().onBehalfOf(ALICE, 'orders.approve').post('/a', { value: 1 }));
    expect(error).toBeInstanceOf(BearerError);
    expect(error).toMatchObject({
      code: 'insufficient_user_authentication',
      authentication: { acrValues: ['gold'], maxAgeSeconds: 60 },
    });
    expect(sent).toBe(1);
    expect(await failed(asService().get('/a'))).toMatchObject({ code: 'service_refused' });
  });

  it('returns an answer with status 409 if validateStatus accepts the status', async () => {
    handler = json({ left: 3 }, 409);
    const { status, data } = await got(asService().get('/a', { validateStatus: (code) => code < 500 }));
    expect([status, data]).toEqual([409, { left: 3 }]);
    const streamed = await got(asService().get<Readable>('/a', { validateStatus: null, responseType: 'stream' }));
    expect(JSON.parse(await text(streamed.data))).toEqual({ left: 3 });
  });

  it('throws service_failed if JSON was requested and the answer is not JSON', async () => {
    handler = answer(200, '<html>');
    expect(
      await failed(
        asService({ defaults: { transitional: { silentJSONParsing: false } } }).get('/a', { responseType: 'json' }),
      ),
    ).toMatchObject({ code: 'service_failed', reason: 'answer_not_json' });
  });

  it('throws the error of an interceptor unchanged', async () => {
    const http = serviceHttp();
    const own = new Error('mine');
    http.axiosRef.interceptors.request.use(() => Promise.reject(own));
    expect(await failed(http.asService('orders.approve').get('/a'))).toBe(own);
  });

  it.each<[string, Settings, AxiosRequestConfig]>([
    ['the service', { timeoutMs: 50 }, {}],
    ['the call', {}, { timeout: 50 }],
  ])('throws service_timeout after the timeout of %s', async (_, settings, config) => {
    handler = () => undefined;
    expect(await failed(asService(settings).get('/a', config))).toMatchObject({
      code: 'service_timeout',
      fields: { call: `GET ${origin()}/base/a` },
    });
  });

  it.each([Infinity, 2 ** 31, Number.MAX_SAFE_INTEGER])(
    'accepts a timeout of %d ms, and waits for the answer',
    async (timeout) => {
      handler = (_, response) => void setTimeout(() => response.end('late'), 50);
      expect((await got(asService().get('/a', { timeout }))).data).toBe('late');
    },
  );

  it.each([-1, Number.NaN, 'soon' as never])(
    'throws TypeError for a timeout of %j, and sends nothing',
    async (timeout) => {
      handler = answer(200);
      expect(await failed(asService().get('/a', { timeout }))).toBeInstanceOf(TypeError);
      expect([seen.length, requested]).toEqual([0, 0]);
    },
  );

  it.each(['maxContentLength', 'maxBodyLength'])('throws TypeError if %s is not a number', async (name) => {
    handler = answer(200, 'x'.repeat(2000));
    const http = asService({ maxResponseBytes: 1024 });
    expect(await failed(http.get('/a', { [name]: Number.NaN }))).toBeInstanceOf(TypeError);
    expect([seen.length, requested]).toEqual([0, 0]);
  });

  it('limits the time of a buffered answer, even if the call sends or requests a stream', async () => {
    const dripping =
      (status: number): RequestListener =>
      (request, response) => {
        request.resume();
        response.writeHead(status);
        const timer = setInterval(() => response.write(' '), 20);
        response.once('close', () => clearInterval(timer));
      };
    const http = asService({ timeoutMs: 200 });
    const late = { code: 'service_timeout' };
    const within = { signal: AbortSignal.timeout(2000) };
    handler = dripping(500);
    expect(await failed(http.get('/a', { responseType: 'stream', ...within }))).toMatchObject(late);
    handler = dripping(200);
    expect(await failed(http.post('/a', Readable.from(['x']), within))).toMatchObject(late);
  });

  it('limits every answer to maxContentLength, and a buffered answer to maxResponseBytes, too', async () => {
    handler = answer(200, 'x'.repeat(2000));
    const large = { code: 'service_failed', reason: 'answer_too_large' };
    expect(await failed(asService({ maxResponseBytes: 1024 }).get('/a'))).toMatchObject(large);
    expect(await failed(asService().get('/a', { maxContentLength: 1024 }))).toMatchObject(large);
    const { data } = await got(asService({ maxResponseBytes: 1024 }).get<Readable>('/a', { responseType: 'stream' }));
    expect(await text(data)).toHaveLength(2000);
    const bounded = await got(asService().get<Readable>('/a', { responseType: 'stream', maxContentLength: 1024 }));
    await expect(text(bounded.data)).rejects.toMatchObject(large);
  });

  it('throws TypeError for a request body over maxBodyLength', async () => {
    handler = drained(json({}));
    expect(await failed(asService().post('/a', 'x'.repeat(2000), { maxBodyLength: 1000 }))).toBeInstanceOf(TypeError);
    const stream = Readable.from([Buffer.alloc(600), Buffer.alloc(600)]);
    expect(await failed(asService().post('/a', stream, { maxBodyLength: 1000 }))).toBeInstanceOf(TypeError);
  });

  it('throws service_unavailable while the circuit is open', async () => {
    handler = (_, response) => void response.destroy();
    const http = asService({ circuitBreakerFailures: 2 });
    for (let at = 0; at < 2; at += 1) await failed(http.post('/a', {}));
    expect(await failed(http.get('/a'))).toMatchObject({ code: 'service_unavailable', reason: 'circuit_open' });
  });

  it('throws the cancellation error of axios if the call is aborted', async () => {
    handler = () => undefined;
    const controller = new AbortController();
    const pending = failed(asService().get('/a', { signal: controller.signal }));
    await once(server, 'request');
    expect(getMaxListeners(controller.signal)).toBe(Infinity);
    controller.abort();
    expect(axios.isCancel(await pending)).toBe(true);
  });

  it('closes the request when the subscriber of the Observable unsubscribes', async () => {
    let closed: Promise<unknown> = Promise.resolve();
    handler = (request) => void (closed = closeOf(request));
    const arrived = once(server, 'request');
    const subscription = asService().get('/a').subscribe();
    await arrived;
    subscription.unsubscribe();
    await expect(closed).resolves.toBeUndefined();
  });
});

describe('ServiceHttp streams', () => {
  const chunk = Buffer.alloc(64 * 1024, 1);

  it('applies backpressure to a streamed answer', async () => {
    let written = 0;
    let waits = 0;
    handler = (_, response) => {
      const write = (): void => {
        while (written < 1600) {
          written += 1;
          if (!response.write(chunk)) {
            waits += 1;
            response.once('drain', write);
            return;
          }
        }
        response.end();
      };
      write();
    };
    const { data } = await got(asService().get<Readable>('/a', { responseType: 'stream' }));
    // Nobody reads the answer yet: the buffers fill up and the server stops writing.
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(written).toBeLessThan(1600);
    let size = 0;
    for await (const part of data) size += (part as Buffer).length;
    expect([size, written]).toEqual([1600 * chunk.length, 1600]);
    expect(waits).toBeGreaterThan(0);
  });

  it('closes the request when the reader destroys the stream', async () => {
    let closed: Promise<unknown> = Promise.resolve();
    handler = (_, response) => {
      closed = closeOf(response);
      response.write(chunk);
    };
    const { data } = await got(asService().get<Readable>('/a', { responseType: 'stream' }));
    data.destroy();
    await expect(closed).resolves.toBeUndefined();
  });

  it('ends the stream of an answer when the call is aborted', async () => {
    handler = (_, response) => void response.write(chunk);
    const controller = new AbortController();
    const { data } = await got(asService().get<Readable>('/a', { responseType: 'stream', signal: controller.signal }));
    const read = buffer(data).catch((error: unknown) => error);
    controller.abort();
    expect(axios.isCancel(await read)).toBe(true);
  });

  it('applies the timeout to each pause of a stream, not to the whole stream', async () => {
    let answered: ServerResponse | undefined;
    handler = (_, response) => {
      answered = response;
      let at = 0;
      const timer = setInterval(() => {
        response.write('x');
        if (++at === 10) clearInterval(timer);
      }, 100);
    };
    const { data } = await got(asService({ timeoutMs: 500 }).get<Readable>('/a', { responseType: 'stream' }));
    let size = 0;
    data.on('data', (part: Buffer) => (size += part.length));
    const [error] = (await once(data, 'error')) as [unknown];
    expect(error).toMatchObject({ code: 'service_timeout' });
    expect(size).toBe(10);
    expect(answered).toBeDefined();
  });

  it('throws service_failed if the stream of an answer breaks', async () => {
    handler = (_, response) => {
      response.writeHead(200, { 'Content-Length': '100' }).write('x');
      setTimeout(() => response.destroy(), 20);
    };
    const { data } = await got(asService().get<Readable>('/a', { responseType: 'stream' }));
    await expect(text(data)).rejects.toMatchObject({ code: 'service_failed', reason: 'answer_broken_off' });
    const unread = await got(asService().get<Readable>('/a', { responseType: 'stream' }));
    await new Promise((resolve) => unread.data.once('close', resolve));
  });

  it('keeps the bulkhead slot of a call until the stream of the answer ends', async () => {
    handler = (request, response) => void (request.url === '/base/open' ? response.write('x') : response.end('{}'));
    const http = asService({ maxConcurrentCalls: 1, maxQueuedCalls: 0 });
    const { data } = await got(http.get<Readable>('/open', { responseType: 'stream' }));
    expect(await failed(http.get('/a'))).toMatchObject({ code: 'service_unavailable', reason: 'queue_full' });
    data.destroy();
    await once(data, 'close');
    expect((await got(http.get('/a'))).status).toBe(200);
  });

  it('sends each part of a streamed body immediately, and closes the request if the body fails', async () => {
    const parts: string[] = [];
    let closed: Promise<unknown> = Promise.resolve();
    handler = (request) => {
      closed = closeOf(request);
      request.on('data', (part: Buffer) => parts.push(String(part))).on('error', () => undefined);
    };
    const broken = new Error('the file is gone');
    const body = new Readable({ read: () => undefined });
    const pending = failed(asService().post('/a', body, { headers: { 'Content-Type': 'text/plain' } }));
    body.push('first');
    while (parts.length === 0) await new Promise(setImmediate);
    body.destroy(broken);
    expect(await pending).toBe(broken);
    await closed;
    expect(parts).toEqual(['first']);
  });
});

describe('ServiceHttp request bodies', () => {
  it.each<[string, number]>([
    ['before the token arrives', 20],
    ['during the transfer', 0],
  ])('rejects with the error of a body that fails %s, and keeps the circuit closed', async (_, ms) => {
    tokenMs = ms;
    handler = drained(json({}));
    const http = asService({ circuitBreakerFailures: 1 });
    const missing = createReadStream('/nowhere/at/all');
    expect(await failed(http.post('/a', missing))).toMatchObject({ code: 'ENOENT' });
    const web = new ReadableStream({ start: (controller) => controller.error(new Error('mine')) });
    expect(await failed(http.post('/a', web))).toMatchObject({ message: 'mine' });
    expect((await got(http.get('/a'))).status).toBe(200);
  });

  it('sends nothing if the body has already been read or destroyed', async () => {
    const ended = Readable.from(['a']);
    await text(ended);
    const destroyed = Readable.from(['a']).destroy();
    for (const body of [ended, destroyed]) {
      expect(await failed(asService().post('/a', body))).toMatchObject({
        message: 'The body of the request ended too early',
      });
    }
    expect(seen).toEqual([]);
  });

  it('times out if the request body does not arrive, and keeps the circuit closed', async () => {
    handler = drained(json({}));
    const http = asService({ timeoutMs: 100, circuitBreakerFailures: 1 });
    const stalled = new Readable({ read: () => undefined });
    stalled.push('x');
    expect(await failed(http.post('/a', stalled))).toMatchObject({ code: 'service_timeout' });
    expect(stalled.destroyed).toBe(true);
    expect((await got(http.get('/a'))).status).toBe(200);
  });

  it('lets a slow request body take longer than the timeout, also in a trial call that closes the circuit', async () => {
    const dripping = (): Readable =>
      Readable.from(
        (async function* () {
          for (let at = 0; at < 8; at += 1) {
            await new Promise((resolve) => setTimeout(resolve, 50));
            yield 'x';
          }
        })(),
      );
    handler = echo;
    const http = asService({ timeoutMs: 200, circuitBreakerFailures: 1, circuitBreakerPauseMs: 100 });
    expect((await got(http.post('/a', dripping(), { responseType: 'text' }))).data).toBe('xxxxxxxx');
    handler = (_, response) => void response.destroy();
    await failed(http.get('/a'));
    handler = drained(json({}));
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect((await got(http.post('/a', dripping()))).status).toBe(200);
    expect((await got(http.get('/a'))).status).toBe(200);
  });

  it.each<[string, unknown]>([
    ['an object', { a: 1 }],
    ['a number', 7],
    ['a list', [1, 2, 3]],
    ['an ArrayBuffer', new ArrayBuffer(3)],
  ])('throws TypeError, and keeps the circuit closed, if a stream yields %s', async (_, chunk) => {
    let ended = 0;
    handler = (request, response) =>
      void text(request)
        .then(() => (ended += 1))
        .catch(() => undefined)
        .finally(() => json({})(request, response));
    const http = asService({ circuitBreakerFailures: 1 });
    const body = Readable.from(['x', chunk]);
    expect(await failed(http.post('/a', body))).toBeInstanceOf(TypeError);
    expect(body.destroyed).toBe(true);
    expect(ended).toBe(0);
    expect((await got(http.get('/a'))).status).toBe(200);
  });

  describe('an uploaded file that can no longer be read', () => {
    const error = new Error('It is not there any more');
    const lost = (): File => {
      class LostFile extends File {
        override stream(): ReturnType<File['stream']> {
          const chunks = [Buffer.from('as it was')];
          const pull = (controller: ReadableStreamDefaultController): void => {
            const chunk = chunks.pop();
            if (chunk === undefined) controller.error(error);
            else controller.enqueue(chunk);
          };
          return new ReadableStream({ pull }) as unknown as ReturnType<File['stream']>;
        }
      }
      return Object.defineProperty(new LostFile([], 'lost'), 'size', { value: 20 });
    };
    const inForm = (): FormData => {
      const form = new FormData();
      form.append('file', lost());
      return form;
    };

    it.each([
      ['as the body', lost],
      ['in a form', inForm],
    ])('rejects with the error of the file, and keeps the circuit closed: %s', async (_, body) => {
      handler = drained(json({}));
      const http = asService({ circuitBreakerFailures: 1 });
      expect(await failed(http.post('/a', body()))).toBe(error);
      expect((await got(http.get('/a'))).status).toBe(200);
    });

    it.each([
      ['as the body', lost],
      ['in a form', inForm],
    ])('does not crash the process if nothing reads the request body: %s', async (_, body) => {
      const opened = requestBody(body(), new AxiosHeaders()).open() as Readable;
      await new Promise((resolve) => opened.resume().once('close', resolve));
      expect(opened.errored).toBe(error);
    });
  });

  it('closes the files of a form of the form-data package whose call fails', async () => {
    const Form = axios.defaults.env?.FormData as unknown as new () => Readable & {
      append(name: string, value: unknown): void;
    };
    const form = new Form();
    const files = [createReadStream('package-lock.json'), createReadStream('package-lock.json')];
    for (const [at, file] of files.entries()) form.append(`file ${at}`, file);
    const closed = files.map((file) => once(file, 'close'));
    handler = (_, response) => void response.destroy();
    expect(await failed(asService().post('/a', form))).toMatchObject({ code: 'service_unavailable' });
    await Promise.all(closed);
  });

  it('streams a form of the form-data package, and applies maxBodyLength to the form', async () => {
    const Form = axios.defaults.env?.FormData as unknown as new () => Readable & {
      append(name: string, value: unknown): void;
    };
    const form = (): Readable => {
      const made = new Form();
      made.append('name', 'alice');
      made.append('file', Readable.from(['x'.repeat(50_000)]));
      return made;
    };
    handler = echo;
    let sent = 0;
    const { headers, data } = await got(
      asService().post<Buffer>('/a', form(), {
        responseType: 'arraybuffer',
        onUploadProgress: ({ loaded }) => void (sent = loaded),
      }),
    );
    expect(String(headers['content-type'])).toMatch(/^multipart\/form-data; boundary=/);
    expect(data.toString()).toContain('x'.repeat(50_000));
    expect(sent).toBe(data.length);
    expect(await failed(asService().post('/a', form(), { maxBodyLength: 1000 }))).toBeInstanceOf(TypeError);
    const broken = new Form();
    broken.append('file', createReadStream('/nowhere/at/all'));
    expect(await failed(asService({ circuitBreakerFailures: 1 }).post('/a', broken))).toMatchObject({ code: 'ENOENT' });
  });

  it('accepts an incoming request as the body, and leaves its socket open', async () => {
    const front = createServer((request, response) => {
      void failed(asService({ path: '/gone' }).post('/x', request, { timeout: 1000 })).then(() =>
        response.end(String(request.socket?.remoteAddress)),
      );
    }).listen(0, '127.0.0.1');
    await once(front, 'listening');
    handler = answer(413, '', { Connection: 'close' });
    const { port } = front.address() as AddressInfo;
    const { data } = await axios.post<string>(`http://127.0.0.1:${port}`, 'x'.repeat(1000), { proxy: false });
    expect(data).toBe('127.0.0.1');
    await new Promise((resolve) => front.close(resolve));
  });
});

describe('ServiceHttp compatibility with axios', () => {
  it('ignores options that are null', async () => {
    const none = { onUploadProgress: null, onDownloadProgress: null, proxy: null, maxContentLength: null } as never;
    expect((await got(asService().post('/a', { a: 1 }, none))).status).toBe(200);
  });

  it('calls the base URL if the path is empty', async () => {
    await got(asService().get(''));
    await got(asService().get('', { params: { q: 1 } }));
    expect(seen.map(({ url }) => url)).toEqual(['/base', '/base?q=1']);
  });

  it('rejects with the reason of a cancel token', async () => {
    handler = () => undefined;
    const source = axios.CancelToken.source();
    const pending = failed(asService().get('/a', { cancelToken: source.token }));
    await once(server, 'request');
    source.cancel('user left');
    expect(await pending).toMatchObject({ message: 'user left' });
    handler = answer(500);
    const error = (await failed(asService().get('/a'))) as { toJSON(): object };
    expect(error.toJSON()).toMatchObject({
      code: 'service_failed',
      message: 'Next service failed',
      reason: 'answered_500',
    });
  });

  it('returns an ArrayBuffer that is as long as the answer', async () => {
    handler = (_, response) => {
      response.write(Buffer.alloc(10));
      setTimeout(() => response.end(Buffer.alloc(6)), 20);
    };
    const { data } = await got(asService().get<Buffer>('/a', { responseType: 'arraybuffer' }));
    expect([data.byteOffset, data.buffer.byteLength]).toEqual([0, 16]);
  });

  it('applies one timeout to the whole call, including the request and the renewal of the token', async () => {
    tokenMs = 60;
    handler = (request, response) => void setTimeout(() => refusesFirst(json({}))(request, response), 60);
    expect(await failed(asService().get('/a', { timeout: 150 }))).toMatchObject({ code: 'service_timeout' });
  });

  it('ignores changes to the global defaults of axios', async () => {
    const http = serviceHttp();
    axios.defaults.params = { leaked: 1 };
    try {
      await got(http.asService('orders.approve').get('/a'));
    } finally {
      delete axios.defaults.params;
    }
    expect(seen[0]?.url).toBe('/base/a');
  });
});

describe('ServiceHttp answers', () => {
  const strict: Settings = { defaults: { transitional: { silentJSONParsing: false } } };
  const hidden = (error: unknown): string =>
    [error, (error as { response?: AxiosResponse }).response]
      .map((one) => inspect(one, { depth: 12, showHidden: true, getters: true }))
      .join();

  it.each<[string, RequestListener]>([
    ['in invalid JSON', (request, response) => void response.end(`{${String(request.headers.authorization)}`)],
    [
      'in the reason phrase',
      (request, response) => void response.writeHead(500, String(request.headers.authorization)).end(),
    ],
    [
      'after a renewal',
      (request, response) =>
        seen.length === 1 ? INVALID_TOKEN(request, response) : void response.writeHead(500).end(AUTHORIZATIONS.join()),
    ],
  ])('removes the token from the error if the answer repeats the token %s', async (_, script) => {
    handler = script;
    const error = await failed(asService(strict).get('/a', { responseType: 'json' }));
    expect(error).toMatchObject({ code: 'service_failed' });
    for (const token of TOKENS) expect(hidden(error)).not.toContain(token);
  });

  it('throws insufficient_scope for a 403, even if the answer is HTML', async () => {
    handler = answer(403, '<html>');
    const error = await failed(
      serviceHttp(strict).onBehalfOf(ALICE, 'orders.approve').get('/a', { responseType: 'json' }),
    );
    expect(error).toMatchObject({ code: 'insufficient_scope', permission: 'orders.approve' });
  });

  it.each<[string, AxiosRequestConfig, RequestListener]>([
    ['without a body', { method: 'HEAD' }, answer(200)],
    ['that is empty', {}, answer(204)],
    ['that validateStatus rejects', { validateStatus: () => false }, answer(200, 'x'.repeat(200_000))],
    [
      'for which validateStatus throws',
      {
        validateStatus: () => {
          throw new Error('mine');
        },
      },
      answer(200, 'x'.repeat(200_000)),
    ],
    ['that is small and unread', {}, answer(200, 'x')],
  ])('frees the bulkhead slot of an answer %s, even if the call requested a stream', async (_, config, script) => {
    handler = script;
    const http = asService({ maxConcurrentCalls: 1, maxQueuedCalls: 1 });
    await got(http.request({ url: '/a', responseType: 'stream', ...config })).catch(() => undefined);
    expect(
      (
        await got(
          http
            .request({ url: '/a', responseType: 'stream', ...config })
            .pipe(catchError(() => of({ status: 200 } as AxiosResponse))),
        )
      ).status,
    ).toBeLessThan(300);
  });
});
