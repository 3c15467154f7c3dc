/** Calls to a next service that does as it is told, with tokens from the authorization server in this process. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { composeKeycloak } from '../compose-keycloak.js';
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

/** How often a token was asked for. */
const asked = (): number => realm.control.calls.token.client_credentials + realm.control.calls.token.token_exchange;

interface Bend {
  readonly baseUrl?: string;
  readonly timeoutMs?: number;
  readonly maxResponseBytes?: number;
}

function client({ baseUrl = next.url, timeoutMs = 60_000, maxResponseBytes = 10_000 }: Bend = {}): ServiceClient {
  const bounds = { timeoutMs, maxResponseBytes, ...CALL_BOUNDS };
  return composeKeycloak(optionsOf(realm, 'service-a')).service('service-b', {
    baseUrl,
    audience: 'service-b',
    ...bounds,
  });
}

const asSelf = (bend?: Bend) => client(bend).asSelf('orders.approve');
const onBehalfOf = (bend?: Bend) => client(bend).onBehalfOf(caller, 'orders.approve');
const PATH = '/api/compute';

/** The token that the next service got with its first request, or with another. */
const sent = (at = 0): string => next.requests.at(at)?.headers.authorization?.slice('Bearer '.length) ?? '';
const claimsSent = (): Readonly<Record<string, unknown>> => decodeJwt(sent());

const failure = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'no failure',
    (error: unknown) => error,
  );

const INVALID_TOKEN = { 'WWW-Authenticate': 'Bearer realm="service-b", error="invalid_token"' };

describe('what a call is given', () => {
  it('is sent with its query behind the path', async () => {
    next.answer(PATH, json({}));
    await asSelf().get(PATH, { query: { article: 'pen & ink', id: [1, 2] } });
    expect(next.requests[0]).toMatchObject({ url: `${PATH}?article=pen+%26+ink&id=1&id=2` });
  });

  it.each([
    ['a body that JSON does not carry', new FormData(), {}],
    ['a time that is none', {}, { timeoutMs: 0 }],
  ])('is refused before a token is asked for: %s', async (_, body, options) => {
    await expect(asSelf().post(PATH, body, options)).rejects.toThrow(TypeError);
    expect([asked(), next.requests]).toEqual([0, []]);
  });
});

describe('a call that succeeds', () => {
  it('carries a token made for that service, and JSON both ways', async () => {
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

  it('for a caller never carries the token that we were called with (TX-04)', async () => {
    next.answer(PATH, json({}));
    await onBehalfOf().get(PATH);
    expect(realm.control.lastRequest('token')?.form.get('subject_token')).toBe(subjectToken);
    expect(next.requests).toHaveLength(1);
    expect(JSON.stringify(next.requests)).not.toContain(subjectToken);
  });

  it.each(['get', 'delete'] as const)('%s has no body and no type of one', async (method) => {
    next.answer(PATH, json({ ok: true }));
    expect(await asSelf()[method](`${PATH}?q=a%20b`)).toEqual({ ok: true });
    expect(next.requests[0]).toMatchObject({ method: method.toUpperCase(), url: `${PATH}?q=a%20b`, body: '' });
    expect(next.requests[0]?.headers).not.toHaveProperty('content-type');
  });

  it.each(['post', 'put', 'patch'] as const)('%s sends its body', async (method) => {
    next.answer(PATH, json({ ok: true }));
    await asSelf()[method](PATH, ['a']);
    expect(next.requests[0]).toMatchObject({ method: method.toUpperCase(), body: '["a"]' });
  });

  it('request() gives status and headers too, and undefined for an empty body', async () => {
    next.answer(PATH, raw(204, '', { 'X-Count': '7' }));
    expect(await asSelf().request('GET', PATH)).toMatchObject({
      status: 204,
      headers: { 'x-count': '7' },
      body: undefined,
    });
  });

  it('reuses its token for the next call', async () => {
    next.answer(PATH, json({}));
    const service = asSelf();
    await service.get(PATH);
    await service.get(PATH);
    expect(asked()).toBe(1);
  });

  it('sends the caller’s further headers', async () => {
    next.answer(PATH, json({}));
    await asSelf().get(PATH, { headers: { 'X-Request-Id': 'r1' } });
    expect(next.requests[0]?.headers).toMatchObject({ 'x-request-id': 'r1', authorization: expect.any(String) });
  });
});

it.each(['Accept', 'accept', 'ACCEPT'])('may be asked for another form of answer: %s', async (name) => {
  next.answer(PATH, json({}));
  await asSelf().get(PATH, { headers: { [name]: 'application/problem+json' } });
  expect(next.requests[0]?.headers.accept).toBe('application/problem+json');
});

describe('a next service that fails', () => {
  const body = { error: 'Their words', code: 'their_code', stack: 'at secret.ts' };

  it.each<[string, Script, object]>([
    ['breaks off', breakOff, { code: 'service_unavailable' }],
    ['answers 500', json(body, 500), { code: 'service_failed', status: 500, body: { code: 'their_code' } }],
    ['answers 503', raw(503, 'down'), { code: 'service_failed', status: 503, body: {} }],
    ['answers 400', json(body, 400), { code: 'service_failed', status: 400 }],
    ['answers 404', html404(), { code: 'service_failed', status: 404 }],
    ['answers 409', json(body, 409), { code: 'service_failed', status: 409 }],
    ['answers 200 with HTML', html, { code: 'service_failed', reason: 'answer_not_json' }],
    ['answers 200 with truncated JSON', truncated, { code: 'service_failed', reason: 'answer_not_json' }],
    ['answers too much', json('x'.repeat(10_001)), { code: 'service_failed', reason: 'answer_too_large' }],
    ['refuses us without a challenge', json(body, 401), { code: 'service_refused', status: 401 }],
    [
      'refuses us for another reason than the token',
      raw(401, '', { 'WWW-Authenticate': 'Bearer realm="service-b"' }),
      { code: 'service_refused' },
    ],
  ])('%s', async (_case, script, expected) => {
    next.answer(PATH, script);
    expect(await failure(asSelf().post(PATH, {}))).toMatchObject({
      name: 'ServiceCallError',
      service: 'service-b',
      ...expected,
    });
    expect(next.requests).toHaveLength(1);
  });

  it('is not there', async () => {
    const service = asSelf();
    await next.stop();
    expect(await failure(service.get(PATH))).toMatchObject({ code: 'service_unavailable', reason: 'ECONNREFUSED' });
  });

  it.each([
    ['never answers', hang],
    ['never ends its answer', hangInBody],
  ])('%s: service_timeout', async (_case, script) => {
    next.answer(PATH, script);
    expect(await failure(asSelf({ timeoutMs: 200 }).get(PATH))).toMatchObject({
      code: 'service_timeout',
      httpStatus: 504,
    });
  });

  it('does not answer in the time of this call: service_timeout, and the next has the time of the service', async () => {
    next.answerInTurn(PATH, hang, json({ result: 20 }));
    const service = asSelf();
    expect(await failure(service.get(PATH, { timeoutMs: 200 }))).toMatchObject({ code: 'service_timeout' });
    expect(await service.get(PATH)).toEqual({ result: 20 });
  });

  it('does not answer in the short time of some calls: the circuit stays closed for the others', async () => {
    next.answer(PATH, hang);
    const service = asSelf();
    for (let calls = 0; calls < 15; calls += 1) {
      expect(await failure(service.get(PATH, { timeoutMs: 20 }))).toMatchObject({ code: 'service_timeout' });
    }
    next.answer(PATH, json({ result: 20 }));
    expect(await service.get(PATH)).toEqual({ result: 20 });
  });

  it('answers 503 and says when to come again: the calling code is told', async () => {
    next.answer(PATH, raw(503, '{}', { 'Retry-After': '7' }));
    expect(await failure(asSelf().get(PATH))).toMatchObject({ code: 'service_failed', retryAfterSeconds: 7 });
  });

  it('refuses our token once: it is renewed once and the body is sent again', async () => {
    next.answerInTurn(PATH, raw(401, '', INVALID_TOKEN), json({ result: 20 }));
    const service = asSelf();
    expect(await service.post(PATH, { value: 10 })).toEqual({ result: 20 });
    const [first, second] = next.requests;
    expect([first?.body, second?.body]).toEqual(['{"value":10}', '{"value":10}']);
    expect(second?.headers.authorization).not.toBe(first?.headers.authorization);
    await service.get(PATH);
    expect(next.requests[2]?.headers.authorization).toBe(second?.headers.authorization);
    expect(asked()).toBe(2);
  });

  it('refuses every token: service_refused after one renewal', async () => {
    next.answer(PATH, raw(401, '', INVALID_TOKEN));
    expect(await failure(onBehalfOf().get(PATH))).toMatchObject({
      code: 'service_refused',
      httpStatus: 502,
      status: 401,
    });
    expect([next.requests.length, asked()]).toEqual([2, 2]);
  });

  it('says 403 to a call in our own name: service_refused', async () => {
    next.answer(PATH, json({ code: 'insufficient_scope', permission: 'orders.approve' }, 403));
    expect(await failure(asSelf().get(PATH))).toMatchObject({ code: 'service_refused', status: 403 });
    expect(next.requests).toHaveLength(1);
  });

  it.each<[string, unknown, string]>([
    ['the permission it named', { permission: 'reports.write' }, 'reports.write'],
    ['the one we asked for when it named none', {}, 'orders.approve'],
    ['the one we asked for when what it named is none', { permission: 'a"\r\nb' }, 'orders.approve'],
    ['the one we asked for when it said nothing readable', 'no object', 'orders.approve'],
  ])('says 403 to a call for a caller: insufficient_scope with %s', async (_case, answer, permission) => {
    next.answer(PATH, json(answer, 403));
    expect(await failure(onBehalfOf().get(PATH))).toMatchObject({
      name: 'BearerError',
      code: 'insufficient_scope',
      permission,
    });
  });
});

function html404(): Script {
  return raw(404, '<html>', { 'Content-Type': 'text/html' });
}

describe('a token goes nowhere else (CC-06)', () => {
  it.each([301, 302, 303, 307, 308])('a redirect (%i) is not followed', async (status) => {
    next.answer(PATH, raw(status, '', { Location: `${other.url}/` }));
    expect(await failure(asSelf().get(PATH))).toMatchObject({ code: 'service_failed', status });
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
  ])('a path that leaves the base URL is a programming error and no request: %j', async (path) => {
    expect(await failure(asSelf({ baseUrl: `${next.url}/base` }).get(path))).toBeInstanceOf(TypeError);
    expect(next.requests).toHaveLength(0);
  });

  it.each(['', '?q=1', '#x', 'api/compute', '0/api', '.other.example.com/', '@other.example.com/', ':80/'])(
    'a path without its slash could change the host, and is no request either: %j',
    async (path) => {
      expect(await failure(asSelf().get(path))).toBeInstanceOf(TypeError);
      expect(next.requests).toHaveLength(0);
    },
  );

  it.each(['//other.example.com/x', '/@other.example.com', '/http://other.example.com/'])(
    'a path that looks like another place stays below the base URL: %j',
    async (path) => {
      await failure(asSelf({ baseUrl: `${next.url}/base` }).get(path));
      expect(next.requests.map(({ url }) => url)).toEqual([`/base${path}`]);
    },
  );

  it.each(['Authorization', 'authorization', 'AUTHORIZATION', 'Cookie', 'host', 'Proxy-Authorization'])(
    'the header %s is not the caller’s to set',
    async (name) => {
      expect(await failure(asSelf().get(PATH, { headers: { [name]: 'x' } }))).toBeInstanceOf(TypeError);
      expect([next.requests.length, asked()]).toEqual([0, 0]);
    },
  );

  it('a proxy of the environment is not used', async () => {
    const saved = { ...process.env };
    try {
      for (const name of ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy']) process.env[name] = other.url;
      for (const name of ['NO_PROXY', 'no_proxy']) delete process.env[name];
      next.answer(PATH, json({ direct: true }));
      expect(await asSelf().get(PATH)).toEqual({ direct: true });
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
    ['the authorization server fails', { kind: 'status', status: 500 }, 'authorization_server_unavailable'],
    ['it refuses us', says('invalid_scope'), 'authorization_server_refused'],
    ['the subject may not', says('invalid_request', 'Requested audience not available: b'), 'insufficient_scope'],
    ['the subject token ended', says('invalid_request', 'Invalid token'), 'invalid_token'],
  ])('is never sent: %s', async (_case, fault, code) => {
    realm.control.fault('token', fault);
    expect(await failure(onBehalfOf().get(PATH))).toMatchObject({ code });
    expect(next.requests).toHaveLength(0);
  });
});

describe('an abort', () => {
  it('ends the call with the reason of its signal', async () => {
    const abort = new AbortController();
    const reason = new Error('no longer wanted');
    next.answer(PATH, () => abort.abort(reason));
    expect(await failure(asSelf().get(PATH, { signal: abort.signal }))).toBe(reason);
  });

  it('ends a call that still waits for its token, at once', async () => {
    const abort = new AbortController();
    const reason = new Error('no longer wanted');
    realm.control.fault('token', { kind: 'hang' });
    const call = failure(asSelf().get(PATH, { signal: abort.signal }));
    while (asked() === 0) await new Promise(setImmediate);
    abort.abort(reason);
    expect(await call).toBe(reason);
    expect(next.requests).toHaveLength(0);
  });

  it('that came before sends nothing', async () => {
    const reason = new Error('never wanted');
    expect(await failure(asSelf().get(PATH, { signal: AbortSignal.abort(reason) }))).toBe(reason);
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
    ['too much', json('x'.repeat(10_001))],
    ['nothing in time', hang],
  ])('holds no token in any form it can be printed: %s', async (_case, script) => {
    next.answer(PATH, script);
    for (const service of [asSelf({ timeoutMs: 300 }), onBehalfOf({ timeoutMs: 300 })]) {
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
  ])('%j is not taken, and nothing is sent', async (name) => {
    await expect(asSelf().get(PATH, { headers: { [name]: 'x' } })).rejects.toMatchObject({ name: 'TypeError' });
    expect(next.requests).toHaveLength(0);
  });

  it('with a value that is none is a programming error, not an outage', async () => {
    await expect(asSelf().get(PATH, { headers: { 'X-Note': 'a\r\nb' } })).rejects.toMatchObject({ name: 'TypeError' });
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    await expect(asSelf().post(PATH, circular)).rejects.toMatchObject({ name: 'TypeError' });
    expect(next.requests).toHaveLength(0);
  });
});
