import { getMaxListeners } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { composeKeycloak } from '../module/compose-keycloak.js';
import type { Fault, RunningAuthorizationServer } from 'keycloak-test-servers';
import {
  CALL_BOUNDS,
  breakOff,
  hang,
  hangInBody,
  html,
  json,
  NextService,
  raw,
  truncated,
  type Script,
} from '../../spec-support/next-service.js';
import { printedForms } from '../../spec-support/printed-forms.js';
import { testAccessToken } from '../testing/test-access-token.js';
import { optionsOf } from '../../spec-support/test-realm.js';
import { loginTo, startTestRealm } from '../../../keycloak-test-servers/spec-support/test-realm.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import { BearerError } from '../protocol/bearer-error.js';
import type { ServiceCallError } from './service-call-error.js';
import type { ServiceClient } from './service-client.js';

let realm: RunningAuthorizationServer;
let next: NextService;
let other: NextService;
let caller: VerifiedAccessToken;
let subjectToken: string;

beforeAll(async () => {
  realm = await startTestRealm();
  subjectToken = await loginTo(realm, 'alice');
  caller = testAccessToken({ text: subjectToken, subject: 'alice', audience: 'service-a' });
});

beforeEach(async () => {
  realm.control.fault('token', undefined);
  realm.control.calls.reset();
  next = await NextService.start();
  other = await NextService.start();
});

afterEach(async () => {
  await next.stop();
  await other.stop();
});

afterAll(() => realm.stop());

const asked = (): number => realm.control.calls.token.client_credentials + realm.control.calls.token.token_exchange;

interface Bend {
  readonly gzip?: boolean;
  readonly baseUrl?: string;
  readonly timeoutMs?: number;
  readonly maxResponseBytes?: number;
}

function client({
  baseUrl = next.url,
  timeoutMs = 60_000,
  maxResponseBytes = 10_000,
  gzip = false,
}: Bend = {}): ServiceClient {
  const bounds = { timeoutMs, maxResponseBytes, gzip, ...CALL_BOUNDS };
  return composeKeycloak(optionsOf(realm, 'service-a')).service('service-b', {
    baseUrl,
    audience: 'service-b',
    ...bounds,
  });
}

const asService = (bend?: Bend) => client(bend).asService('orders.approve');
const onBehalfOf = (bend?: Bend) => client(bend).onBehalfOf(caller, 'orders.approve');
const PATH = '/api/compute';

const sent = (at = 0): string => next.requests.at(at)?.headers.authorization?.slice('Bearer '.length) ?? '';
const claimsSent = (): Readonly<Record<string, unknown>> => decodeJwt(sent());

const failure = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'no failure',
    (error: unknown) => error,
  );

const INVALID_TOKEN = { 'WWW-Authenticate': 'Bearer realm="service-b", error="invalid_token"' };

describe('the arguments of a call', () => {
  it('include a query, which is appended to the path', async () => {
    next.answer(PATH, json({}));
    await asService().get(PATH, { query: { article: 'pen & ink', id: [1, 2] } });
    expect(next.requests[0]).toMatchObject({ url: `${PATH}?article=pen+%26+ink&id=1&id=2` });
  });

  it('are copied at the start of the call, so later changes of the objects do not affect the request', async () => {
    const item = { count: 1 };
    const headers = { 'idempotency-key': 'one' };
    next.answer(PATH, (response, request) => {
      item.count = 3;
      if (next.requests.length === 1) response.writeHead(401, INVALID_TOKEN).end();
      else json({})(response, request);
    });
    const posting = asService().post(PATH, item, { headers });
    item.count = 2;
    headers['idempotency-key'] = 'two';
    await posting;
    const seen = next.requests.map((request) => [request.body, request.headers['idempotency-key']]);
    expect(seen).toEqual([
      ['{"count":1}', 'one'],
      ['{"count":1}', 'one'],
    ]);
  });

  it.each([
    ['a body that JSON can not represent', new FormData(), {}],
    ['an invalid time-out', {}, { timeoutMs: 0 }],
  ])('are rejected before a token is requested: %s', async (_, body, options) => {
    await expect(asService().post(PATH, body, options)).rejects.toThrow(TypeError);
    expect([asked(), next.requests]).toEqual([0, []]);
  });
});

describe('a text response', () => {
  it('is returned unchanged for any content type', async () => {
    next.answer(PATH, raw(200, 'a;b\n1;2\n', { 'Content-Type': 'text/csv' }));
    expect(await asService().get<string>(PATH, { responseType: 'text' })).toBe('a;b\n1;2\n');
    expect(next.requests[0]?.headers.accept).toBe('text/*, */*;q=0.1');
    next.answer(PATH, raw(200, ''));
    expect(await asService().get<string>(PATH, { responseType: 'text' })).toBe('');
  });

  it('causes a ServiceCallError if the response has an error status', async () => {
    next.answer(PATH, json({ code: 'gone' }, 410));
    const error = await failure(asService().get(PATH, { responseType: 'text' }));
    expect(error).toMatchObject({ status: 410, body: { code: 'gone' } });
  });
});

describe('a gzip response', () => {
  const zipped = (body: string | Buffer, status = 200): Script =>
    raw(status, body as string, { 'Content-Encoding': 'gzip' });

  it('is requested, and then decompressed, if the option gzip is set', async () => {
    next.answer(PATH, zipped(gzipSync('{"result":7}')));
    expect(await asService({ gzip: true }).get(PATH)).toEqual({ result: 7 });
    expect(next.requests[0]?.headers['accept-encoding']).toBe('gzip');
  });

  it.each(['GZIP', 'x-gzip'])(
    'is decompressed if the content coding is %s (RFC 9110 section 8.4.1)',
    async (coding) => {
      next.answer(PATH, (response) =>
        response.writeHead(200, { 'Content-Encoding': coding }).end(gzipSync('{"result":7}')),
      );
      expect(await asService({ gzip: true }).get(PATH)).toEqual({ result: 7 });
    },
  );

  it.each(['Identity', ''])('is not assumed if the content coding is %j', async (coding) => {
    next.answer(PATH, json({ result: 7 }, 200, { 'Content-Encoding': coding }));
    expect(await asService().get(PATH)).toEqual({ result: 7 });
  });

  it('is also decompressed if the response has an error status', async () => {
    next.answer(PATH, zipped(gzipSync('{"code":"conflict"}'), 409));
    expect(await failure(asService({ gzip: true }).get(PATH))).toMatchObject({
      status: 409,
      body: { code: 'conflict' },
    });
  });

  it.each<[string, Script, string]>([
    ['unpacks to more than maxResponseBytes', zipped(gzipSync(Buffer.alloc(1_000_000))), 'answer_too_large'],
    ['is not gzip', zipped('{"result":7}'), 'answer_not_as_agreed'],
    ['is cut off', zipped(gzipSync('{"result":7}').subarray(0, 20)), 'answer_not_as_agreed'],
    ['is in another encoding', raw(200, 'x', { 'Content-Encoding': 'br' }), 'answer_not_as_agreed'],
  ])('causes service_failed if the response %s', async (_, script, reason) => {
    next.answer(PATH, script);
    expect(await failure(asService({ gzip: true }).get(PATH))).toMatchObject({ code: 'service_failed', reason });
  });

  it('causes service_failed if gzip was not requested, and keeps the status of an error response', async () => {
    next.answer(PATH, zipped(gzipSync('{}')));
    expect(await failure(asService().get(PATH))).toMatchObject({
      code: 'service_failed',
      reason: 'answer_not_as_agreed',
    });
    next.answer(PATH, zipped('junk', 409));
    expect(await failure(asService().get(PATH))).toMatchObject({ code: 'service_failed', status: 409 });
  });
});

describe('the error response of a service', () => {
  const ANSWER = { message: ['name must be a string'], left: 3 };

  it('is available to the calling code, and is not printed with the error', async () => {
    next.answer(PATH, json(ANSWER, 400));
    const error = (await failure(asService().get(PATH))) as ServiceCallError;
    expect(error.answer).toEqual(ANSWER);
    expect(printedForms(error)).not.toContain('name must be');
    expect(error.toBody(true)).toEqual({
      error: 'Next service failed',
      code: 'service_failed',
      reason: 'answered_400',
    });
  });

  it.each<[string, Script]>([
    ['is not JSON', raw(400, '<html>')],
    ['is longer than 16 KiB', json({ text: 'x'.repeat(17_000) }, 400)],
    ['is longer than 16 KiB in UTF-8', json({ text: '€'.repeat(6000) }, 400)],
    ['is nested too deeply', raw(400, '['.repeat(20_000) + ']'.repeat(20_000))],
    ['is empty', raw(400)],
    [
      'contains the token of the call',
      (response, { headers }) => void json({ token: headers.authorization }, 400)(response, {} as never),
    ],
  ])('is not available to the calling code if the response %s', async (_, script) => {
    next.answer(PATH, script);
    const error = (await failure(asService({ maxResponseBytes: 100_000 }).get(PATH))) as ServiceCallError;
    expect(error).toMatchObject({ status: 400, answer: undefined });
  });

  it('has its status forwarded only if forwardStatuses lists the status', async () => {
    for (const [status, expected] of [
      [404, 404],
      [409, 409],
      [400, 502],
      [500, 502],
    ] as const) {
      next.answer(PATH, json(ANSWER, status));
      const error = (await failure(asService().get(PATH, { forwardStatuses: [404, 409] }))) as ServiceCallError;
      expect(error).toMatchObject({ httpStatus: expected, status });
      expect(error.toBody(false)).toEqual({ error: 'Next service failed', code: 'service_failed' });
    }
  });

  it.each([401, 403, 200, 302, 500, 404.5, Number.NaN])(
    'throws TypeError if forwardStatuses lists the status %s',
    async (status) => {
      const refused = failure(asService().get(PATH, { forwardStatuses: [404, status] }));
      expect(await refused).toEqual(expect.any(TypeError));
      expect(next.requests).toEqual([]);
    },
  );
});

describe('a call without a scope', () => {
  it("gets a token with the realm's default scopes if the service calls in its own name", async () => {
    next.answer(PATH, json({ result: 7 }));
    expect(await client().asService().get(PATH)).toEqual({ result: 7 });
    expect(claimsSent()).toMatchObject({ azp: 'service-a' });
    expect(String(claimsSent()['scope'])).not.toContain('orders.approve');
  });

  it('fails on behalf of a caller if a token gets the required audience only with a scope', async () => {
    const error = await failure(client().onBehalfOf(caller).get(PATH));
    expect(error).toMatchObject({ code: expect.stringMatching(/^(insufficient_scope|authorization_server_refused)$/) });
    expect(next.requests).toEqual([]);
    expect(realm.control.calls.token.token_exchange).toBeGreaterThan(0);
  });

  it('throws TypeError if the scope is an empty text', () => {
    expect(() => client().asService('')).toThrow(TypeError);
    expect(() => client().onBehalfOf(caller, ' ')).toThrow(TypeError);
  });
});

describe('a successful call', () => {
  it('sends a token for the called service, sends JSON, and returns JSON', async () => {
    next.answer(PATH, json({ result: 20 }));
    expect(await onBehalfOf().post(PATH, { value: 10 })).toEqual({ result: 20 });
    expect(next.requests).toMatchObject([
      {
        method: 'POST',
        url: PATH,
        headers: {
          authorization: expect.stringMatching(/^Bearer \S+$/),
          'content-type': 'application/json',
          accept: 'application/json',
          'accept-encoding': 'identity',
        },
        body: '{"value":10}',
      },
    ]);
    expect(claimsSent()).toMatchObject({ aud: 'service-b', azp: 'service-a', preferred_username: 'alice' });
    expect(String(claimsSent()['scope']).split(' ')).toContain('orders.approve');
  });

  it('never carries the token of its caller (TX-04)', async () => {
    next.answer(PATH, json({}));
    await onBehalfOf().get(PATH);
    expect(realm.control.lastRequest('token')?.form.get('subject_token')).toBe(subjectToken);
    expect(next.requests).toHaveLength(1);
    expect(JSON.stringify(next.requests)).not.toContain(subjectToken);
  });

  it.each(['get', 'delete'] as const)('sends no body and no content type with %s', async (method) => {
    next.answer(PATH, json({ ok: true }));
    expect(await asService()[method](`${PATH}?q=a%20b`)).toEqual({ ok: true });
    expect(next.requests[0]).toMatchObject({ method: method.toUpperCase(), url: `${PATH}?q=a%20b`, body: '' });
    expect(next.requests[0]?.headers).not.toHaveProperty('content-type');
  });

  it.each(['post', 'put', 'patch'] as const)('sends its body with %s', async (method) => {
    next.answer(PATH, json({ ok: true }));
    await asService()[method](PATH, ['a']);
    expect(next.requests[0]).toMatchObject({ method: method.toUpperCase(), body: '["a"]' });
  });

  it('returns status, headers and body from request(), with undefined for an empty body', async () => {
    next.answer(PATH, raw(204, '', { 'X-Count': '7' }));
    expect(await asService().request('GET', PATH)).toMatchObject({
      status: 204,
      headers: { 'x-count': '7' },
      body: undefined,
    });
  });

  it('reuses its token for the next call', async () => {
    next.answer(PATH, json({}));
    const service = asService();
    await service.get(PATH);
    await service.get(PATH);
    expect(asked()).toBe(1);
  });

  it('sends the additional headers from its options', async () => {
    next.answer(PATH, json({}));
    await asService().get(PATH, { headers: { 'X-Request-Id': 'r1' } });
    expect(next.requests[0]?.headers).toMatchObject({ 'x-request-id': 'r1', authorization: expect.any(String) });
  });

  it('sends the given traceparent, and omits a malformed traceparent', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    next.answer(PATH, json({}));
    for (const given of [traceparent, 'junk', undefined]) await asService().get(PATH, { traceparent: given });
    expect(next.requests.map(({ headers }) => headers['traceparent'])).toEqual([traceparent, undefined, undefined]);
  });

  it('sends the traceparent of incoming headers, and omits a traceparent that is a list', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const ofRequests: readonly IncomingHttpHeaders[] = [{ traceparent }, { traceparent: [traceparent] }];
    for (const headers of ofRequests) {
      next.answer(PATH, json({}));
      await asService().get(PATH, { traceparent: headers['traceparent'] });
    }
    expect(next.requests.map(({ headers }) => headers['traceparent'])).toEqual([traceparent, undefined]);
  });
});

it.each(['Accept', 'accept', 'ACCEPT'])('a call sends the Accept header of its caller: %s', async (name) => {
  next.answer(PATH, json({}));
  await asService().get(PATH, { headers: { [name]: 'application/problem+json' } });
  expect(next.requests[0]?.headers.accept).toBe('application/problem+json');
});

describe('a called service that fails', () => {
  const body = { error: 'Their words', code: 'their_code', stack: 'at secret.ts' };

  it.each<[string, Script, object]>([
    ['closes the connection', breakOff, { code: 'service_unavailable' }],
    ['answers 500', json(body, 500), { code: 'service_failed', status: 500, body: { code: 'their_code' } }],
    ['answers 503', raw(503, 'down'), { code: 'service_failed', status: 503, body: {} }],
    ['answers 400', json(body, 400), { code: 'service_failed', status: 400 }],
    ['answers 404', html404(), { code: 'service_failed', status: 404 }],
    ['answers 409', json(body, 409), { code: 'service_failed', status: 409 }],
    ['answers 200 with HTML', html, { code: 'service_failed', reason: 'answer_not_json' }],
    ['answers 200 with truncated JSON', truncated, { code: 'service_failed', reason: 'answer_not_json' }],
    ['answers with too many bytes', json('x'.repeat(10_001)), { code: 'service_failed', reason: 'answer_too_large' }],
    ['answers 401 without a challenge', json(body, 401), { code: 'service_refused', status: 401 }],
    [
      'answers 401 with a challenge that has no error',
      raw(401, '', { 'WWW-Authenticate': 'Bearer realm="service-b"' }),
      { code: 'service_refused' },
    ],
  ])('causes an error when the called service %s', async (_case, script, expected) => {
    next.answer(PATH, script);
    expect(await failure(asService().post(PATH, {}))).toMatchObject({
      name: 'ServiceCallError',
      service: 'service-b',
      ...expected,
    });
    expect(next.requests).toHaveLength(1);
  });

  it('causes service_unavailable when the called service refuses the connection', async () => {
    const service = asService();
    await next.stop();
    expect(await failure(service.get(PATH))).toMatchObject({ code: 'service_unavailable', reason: 'ECONNREFUSED' });
  });

  it.each([
    ['never answers', hang],
    ['never ends its answer', hangInBody],
  ])('causes service_timeout when the called service %s', async (_case, script) => {
    next.answer(PATH, script);
    expect(await failure(asService({ timeoutMs: 200 }).get(PATH))).toMatchObject({
      code: 'service_timeout',
      httpStatus: 504,
    });
  });

  it('causes service_timeout after the timeoutMs of the call, not after the default time-out', async () => {
    next.answerInTurn(PATH, hang, json({ result: 20 }));
    const service = asService();
    expect(await failure(service.get(PATH, { timeoutMs: 200 }))).toMatchObject({ code: 'service_timeout' });
    expect(await service.get(PATH)).toEqual({ result: 20 });
  });

  it('does not open the circuit if calls with a short timeoutMs time out', async () => {
    next.answer(PATH, hang);
    const service = asService();
    for (let calls = 0; calls < 15; calls += 1) {
      expect(await failure(service.get(PATH, { timeoutMs: 20 }))).toMatchObject({ code: 'service_timeout' });
    }
    next.answer(PATH, json({ result: 20 }));
    expect(await service.get(PATH)).toEqual({ result: 20 });
  });

  it('causes an error with the Retry-After of the response', async () => {
    next.answer(PATH, raw(503, '{}', { 'Retry-After': '7' }));
    expect(await failure(asService().get(PATH))).toMatchObject({ code: 'service_failed', retryAfterSeconds: 7 });
  });

  it('receives the call again with a renewed token and an unchanged body after a 401', async () => {
    next.answerInTurn(PATH, raw(401, '', INVALID_TOKEN), json({ result: 20 }));
    const service = asService();
    expect(await service.post(PATH, { value: 10 })).toEqual({ result: 20 });
    const [first, second] = next.requests;
    expect([first?.body, second?.body]).toEqual(['{"value":10}', '{"value":10}']);
    expect(second?.headers.authorization).not.toBe(first?.headers.authorization);
    await service.get(PATH);
    expect(next.requests[2]?.headers.authorization).toBe(second?.headers.authorization);
    expect(asked()).toBe(2);
  });

  it.each<[string, 'get' | 'put' | 'post' | 'patch', number]>([
    ['receives an idempotent call again', 'get', 2],
    ['receives an idempotent call again', 'put', 2],
    ['receives no other call again', 'post', 1],
    ['receives no other call again', 'patch', 1],
  ])('%s after a 401 of a handler that had begun: %s', async (_case, method, times) => {
    const challenge = `${INVALID_TOKEN['WWW-Authenticate']}, applied="unknown"`;
    next.answer(PATH, raw(401, '', { 'WWW-Authenticate': challenge }));
    const service = asService();
    expect(await failure(service[method](PATH, {}))).toMatchObject({ code: 'service_refused', status: 401 });
    expect(next.requests).toHaveLength(times);
    next.answer(PATH, json({ result: 20 }));
    await service.get(PATH);
    const [first, last] = [next.requests[0], next.requests.at(-1)];
    expect(last?.headers.authorization).not.toBe(first?.headers.authorization);
  });

  it('causes service_refused if a POST is not repeated, even if Keycloak is unavailable', async () => {
    const challenge = `${INVALID_TOKEN['WWW-Authenticate']}, applied="unknown"`;
    next.answer(PATH, (response) => {
      realm.control.fault('token', { kind: 'status', status: 503 });
      response.writeHead(401, { 'WWW-Authenticate': challenge }).end();
    });
    expect(await failure(onBehalfOf().post(PATH, {}))).toMatchObject({ code: 'service_refused', status: 401 });
  });

  it('causes invalid_token if the token of the caller was revoked while the handler of a POST ran', async () => {
    const challenge = `${INVALID_TOKEN['WWW-Authenticate']}, applied="unknown"`;
    next.answer(PATH, (response) => {
      realm.control.fault('token', { kind: 'answer', status: 400, body: { error: 'invalid_grant' } });
      response.writeHead(401, { 'WWW-Authenticate': challenge }).end();
    });
    const call = failure(onBehalfOf().post(PATH, {}));
    expect(await call).toMatchObject({ name: 'BearerError', code: 'invalid_token' });
    expect(next.requests).toHaveLength(1);
  });

  it('causes service_refused when the called service also refuses the renewed token', async () => {
    next.answer(PATH, raw(401, '', INVALID_TOKEN));
    expect(await failure(onBehalfOf().get(PATH))).toMatchObject({
      code: 'service_refused',
      httpStatus: 502,
      status: 401,
    });
    expect([next.requests.length, asked()]).toEqual([2, 2]);
  });

  it('causes service_refused when a call with asService() is answered with 403', async () => {
    next.answer(PATH, json({ code: 'insufficient_scope', permission: 'orders.approve' }, 403));
    expect(await failure(asService().get(PATH))).toMatchObject({ code: 'service_refused', status: 403 });
    expect(next.requests).toHaveLength(1);
  });

  it.each<[string, unknown, string]>([
    ['the permission that the answer names', { permission: 'reports.write' }, 'reports.write'],
    ['the requested permission if the answer names no permission', {}, 'orders.approve'],
    ['the requested permission if the answer names an invalid permission', { permission: 'a"\r\nb' }, 'orders.approve'],
    ['the requested permission if the answer is not an object', 'no object', 'orders.approve'],
  ])(
    'causes insufficient_scope with %s when a call on behalf of a caller is answered with 403',
    async (_case, answer, permission) => {
      next.answer(PATH, json(answer, 403));
      expect(await failure(onBehalfOf().get(PATH))).toMatchObject({
        name: 'BearerError',
        code: 'insufficient_scope',
        permission,
      });
    },
  );

  it('causes an error that names the caller in its log fields', async () => {
    next.answer(PATH, json({}, 403));
    const { issuer: iss, clientId: azp } = caller;
    expect(await failure(onBehalfOf().get(PATH))).toMatchObject({ fields: { iss, azp, sub: 'alice' } });
  });
});

describe('a called service that demands another login (RFC 9470 section 4)', () => {
  const demand = (parameters = ''): Script =>
    raw(401, JSON.stringify({ code: 'insufficient_user_authentication' }), {
      'Content-Type': 'application/json',
      'WWW-Authenticate': `Bearer realm="service-b", error="insufficient_user_authentication"${parameters}`,
    });

  it('causes a refusal that names the demanded login, without a token renewal or a retry (RS-11)', async () => {
    next.answer(PATH, demand(', acr_values="gold silver", max_age="60"'));
    const service = onBehalfOf();
    const refusal = (await failure(service.post(PATH, { value: 10 }))) as BearerError;
    expect(refusal).toMatchObject({
      name: 'BearerError',
      code: 'insufficient_user_authentication',
      reason: 'refused_by_next_service',
      httpStatus: 401,
      authentication: { acrValues: ['gold', 'silver'], maxAgeSeconds: 60 },
      fields: { called: 'service-b', answer: { code: 'insufficient_user_authentication' } },
    });
    expect(refusal.toHeaders('service-a')).toEqual({
      'WWW-Authenticate':
        'Bearer realm="service-a", error="insufficient_user_authentication", acr_values="gold silver", max_age="60"',
    });
    expect([next.requests.length, asked()]).toEqual([1, 1]);
    next.answer(PATH, json({ result: 20 }));
    await service.get(PATH);
    expect(next.requests[1]?.headers.authorization).toBe(next.requests[0]?.headers.authorization);
    expect(asked()).toBe(1);
  });

  it('causes a refusal that demands another login, even if acr_values and max_age are missing', async () => {
    next.answer(PATH, demand());
    const refusal = (await failure(onBehalfOf().get(PATH))) as BearerError;
    expect(refusal.toBody(false)).toEqual({
      error: 'Stronger or more recent login needed',
      code: 'insufficient_user_authentication',
    });
  });

  it('causes service_refused for a call with asService(), because a service can not log in', async () => {
    next.answer(PATH, demand(', max_age=60'));
    expect(await failure(asService().get(PATH))).toMatchObject({
      code: 'service_refused',
      status: 401,
      fields: { answer: { code: 'insufficient_user_authentication' } },
    });
    expect([next.requests.length, asked()]).toEqual([1, 1]);
  });
});

function html404(): Script {
  return raw(404, '<html>', { 'Content-Type': 'text/html' });
}

describe('the destination of a token (CC-06)', () => {
  it.each([301, 302, 303, 307, 308])('does not change after a redirect with the status %i', async (status) => {
    for (const page of ['', '<html>Moved</html>']) {
      next.answer(PATH, raw(status, page, { Location: `${other.url}/` }));
      const expected = { code: 'service_failed', reason: `answered_${status}`, status };
      expect(await failure(asService().get(PATH))).toMatchObject(expected);
      expect(await failure(asService().get(PATH, { responseType: 'text' }))).toMatchObject(expected);
    }
    expect(other.requests).toHaveLength(0);
  });

  it.each([
    'api/compute',
    '',
    '@other.example.com/',
    'http://other.example.com/',
    '/../admin',
    '/%2e%2e/admin',
    '/..\\admin',
    '/a/../../admin',
    '/..',
    '/.\t./admin',
    '/..%2fadmin',
    '/%2e%2e%2Fadmin',
    '/..%5Cadmin',
    '/a%2f..%2f..%2fadmin',
  ])('is never outside the base URL: TypeError for the path %j', async (path) => {
    expect(await failure(asService({ baseUrl: `${next.url}/base` }).get(path))).toBeInstanceOf(TypeError);
    expect(next.requests).toHaveLength(0);
  });

  it.each(['', '?q=1', '#x', 'api/compute', '0/api', '.other.example.com/', '@other.example.com/', ':80/'])(
    'is never another host: TypeError for the path %j without a leading slash',
    async (path) => {
      expect(await failure(asService().get(path))).toBeInstanceOf(TypeError);
      expect(next.requests).toHaveLength(0);
    },
  );

  it.each([
    '//other.example.com/x',
    '/@other.example.com',
    '/http://other.example.com/',
    '/a%2Fb',
    '/a%2fb..%2fc',
    '/a?q=..%2f..%2f',
  ])('stays below the base URL for the path %j', async (path) => {
    await failure(asService({ baseUrl: `${next.url}/base` }).get(path));
    expect(next.requests.map(({ url }) => url)).toEqual([`/base${path}`]);
  });

  it('may be a path below a base URL that contains an encoded slash', async () => {
    const service = asService({ baseUrl: `${next.url}/group%2Fproject` });
    await failure(service.get('/a.b'));
    expect(next.requests.map(({ url }) => url)).toEqual(['/group%2Fproject/a.b']);
    expect(await failure(service.get('/..%2fother'))).toBeInstanceOf(TypeError);
  });

  it.each(['Authorization', 'authorization', 'AUTHORIZATION', 'Cookie', 'host', 'Proxy-Authorization'])(
    'can not be changed by the header %s, which throws TypeError',
    async (name) => {
      expect(await failure(asService().get(PATH, { headers: { [name]: 'x' } }))).toBeInstanceOf(TypeError);
      expect([next.requests.length, asked()]).toEqual([0, 0]);
    },
  );

  it('stays the called service despite HTTP_PROXY and ALL_PROXY if Node ignores these variables', async () => {
    const saved = { ...process.env };
    try {
      for (const name of ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy']) process.env[name] = other.url;
      for (const name of ['NO_PROXY', 'no_proxy']) delete process.env[name];
      next.answer(PATH, json({ direct: true }));
      expect(await asService().get(PATH)).toEqual({ direct: true });
      expect(other.requests).toHaveLength(0);
    } finally {
      for (const name of Object.keys(process.env)) if (!(name in saved)) delete process.env[name];
      Object.assign(process.env, saved);
    }
  });
});

describe('a call without a token', () => {
  const says = (error: string, error_description?: string): Fault => ({
    kind: 'answer',
    status: 400,
    body: { error, error_description },
  });

  it.each<[string, Fault, string]>([
    ['a failing authorization server', { kind: 'status', status: 500 }, 'authorization_server_unavailable'],
    ['a refused request of this service', says('invalid_scope'), 'authorization_server_refused'],
    ['a missing permission', says('invalid_request', 'Requested audience not available: b'), 'insufficient_scope'],
    ['an invalid subject token', says('invalid_request', 'Invalid token'), 'invalid_token'],
  ])('is never sent: %s', async (_case, fault, code) => {
    realm.control.fault('token', fault);
    expect(await failure(onBehalfOf().get(PATH))).toMatchObject({ code });
    expect(next.requests).toHaveLength(0);
  });

  it('names the caller in the log fields if Keycloak refuses the exchange', async () => {
    realm.control.fault('token', says('invalid_request', 'Requested audience not available: b'));
    const { issuer: iss, clientId: azp } = caller;
    expect(await failure(onBehalfOf().get(PATH))).toMatchObject({ fields: { iss, azp, sub: 'alice' } });
  });
});

describe('an abort signal', () => {
  it('can be shared by any number of calls', async () => {
    const { signal } = new AbortController();
    next.answer(PATH, json({}));
    await Promise.all([asService().get(PATH, { signal }), asService().get(PATH, { signal })]);
    expect(getMaxListeners(signal)).toBe(Infinity);
  });

  it('ends the call with the abort reason', async () => {
    const abort = new AbortController();
    const reason = new Error('no longer wanted');
    next.answer(PATH, () => abort.abort(reason));
    expect(await failure(asService().get(PATH, { signal: abort.signal }))).toBe(reason);
  });

  it('keeps its reason unchanged, even if the reason is a refusal of this library', async () => {
    const abort = new AbortController();
    const reason = new BearerError('invalid_token', { reason: 'expired', fields: { jti: '4711' } });
    next.answer(PATH, () => abort.abort(reason));
    expect(await failure(asService().get(PATH, { signal: abort.signal }))).toBe(reason);
    expect(reason.fields).toEqual({ jti: '4711' });
  });

  it('ends a call that is waiting for its token', async () => {
    const abort = new AbortController();
    const reason = new Error('no longer wanted');
    realm.control.fault('token', { kind: 'hang' });
    const call = failure(asService().get(PATH, { signal: abort.signal }));
    while (asked() === 0) await new Promise(setImmediate);
    abort.abort(reason);
    expect(await call).toBe(reason);
    expect(next.requests).toHaveLength(0);
  });

  it('prevents the request if the signal is already aborted', async () => {
    const reason = new Error('never wanted');
    expect(await failure(asService().get(PATH, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(next.requests).toHaveLength(0);
  });
});

describe('an error of a call (RS-23)', () => {
  it.each<[string, Script]>([
    ['a reset', breakOff],
    ['500', json({ error: 'broken' }, 500)],
    ['401', raw(401, '', INVALID_TOKEN)],
    ['403', raw(403)],
    ['a redirect', raw(302, '', { Location: 'http://127.0.0.1:9/' })],
    ['HTML', html],
    ['an oversized response', json('x'.repeat(10_001))],
    ['a time-out', hang],
  ])('contains no token in any printed form: %s', async (_case, script) => {
    next.answer(PATH, script);
    for (const service of [asService({ timeoutMs: 300 }), onBehalfOf({ timeoutMs: 300 })]) {
      const error = await failure(service.post(PATH, { value: 'the-body' }));
      expect(error).toBeInstanceOf(Error);
      const printed = printedForms(error);
      expect(printed).not.toMatch(/Bearer e|the-secret|the-body/);
      for (const part of [subjectToken, sent(0), sent(-1)].flatMap((token) => token.split('.'))) {
        expect(printed).not.toContain(part);
      }
    }
  });
});

describe('a header of the caller', () => {
  it.each([
    'Host',
    'authorization',
    'Cookie',
    'Proxy-Authorization',
    'Content-Length',
    'Transfer-Encoding',
    'Host ',
    ' a',
  ])('is rejected before anything is sent: %j', async (name) => {
    await expect(asService().get(PATH, { headers: { [name]: 'x' } })).rejects.toMatchObject({ name: 'TypeError' });
    expect(next.requests).toHaveLength(0);
  });

  it('throws TypeError and reports no outage if the value of the header is invalid', async () => {
    await expect(asService().get(PATH, { headers: { 'X-Note': 'a\r\nb' } })).rejects.toMatchObject({
      name: 'TypeError',
    });
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    await expect(asService().post(PATH, circular)).rejects.toMatchObject({ name: 'TypeError' });
    expect(next.requests).toHaveLength(0);
  });
});
