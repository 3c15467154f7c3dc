import { getMaxListeners, once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import { printedForms } from '../../spec-support/printed-forms.js';
import { StillClock } from '../../spec-support/still-clock.js';
import { FixedSecret } from '../client-authentication/client-authentication.js';
import { createAuthorizationServer } from './create-authorization-server.js';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

const REALM = '/realms/shop';
const TOKENS = `${REALM}/protocol/openid-connect/token`;

async function serverThat(act: RequestListener, options: object = {}) {
  const seen = { calls: [] as string[], inHand: 0, most: 0, bodies: [] as string[] };
  const server = createServer((request, response) => {
    seen.calls.push(`${request.method} ${request.url}`);
    seen.inHand += 1;
    seen.most = Math.max(seen.most, seen.inHand);
    response.on('close', () => (seen.inHand -= 1));
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      seen.bodies.push(Buffer.concat(chunks).toString());
      act(request, response);
    });
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const connected = createAuthorizationServer(
    {
      issuer: `https://sso.example.com${REALM}`,
      realmUrl: base + REALM,
      clientId: 'service-a',
      clientAuthentication: new FixedSecret('hush-hush'),
      allowInsecureRequests: true,
      expectedDefaultScopes: [],
      timeoutMs: 60_000,
      maxConcurrentCalls: 3,
      maxQueuedCalls: 2,
      maxRetries: 2,
      circuitBreakerFailures: 1000,
      circuitBreakerPauseMs: 60_000,
      ...options,
    },
    // The clock is stopped, so that a busy machine does not use up the maximum wait of a call.
    new StillClock(),
  );
  return { base, seen, fetch: connected.fetch.fetch, connected };
}

const answers =
  (status: number, headers: Readonly<Record<string, string>> = {}, body = ''): RequestListener =>
  (_, response) =>
    response.writeHead(status, headers).end(body);
const JSON_TYPE = { 'Content-Type': 'application/json' };
const never: RequestListener = () => undefined;

const failure = async (calling: Promise<unknown>): Promise<AuthorizationServerError> => {
  const error: unknown = await calling.catch((thrown: unknown) => thrown);
  if (!(error instanceof AuthorizationServerError)) throw new Error('No AuthorizationServerError', { cause: error });
  return error;
};
const FORM = { method: 'POST', body: new URLSearchParams({ code: 'the-code', grant_type: 'authorization_code' }) };

describe('AuthorizationServerFetch', () => {
  it('sends the form to the internal address instead of the public address', async () => {
    const { base, seen, fetch } = await serverThat(answers(200, JSON_TYPE, '{"a":1}'));
    const response = await fetch(`https://sso.example.com${TOKENS}`, FORM);
    expect([response.status, await response.json()]).toEqual([200, { a: 1 }]);
    await fetch(new URL(`${base}${REALM}/certs?x=1`));
    expect(seen.calls).toEqual([`POST ${TOKENS}`, `GET ${REALM}/certs?x=1`]);
    expect(seen.bodies).toEqual(['code=the-code&grant_type=authorization_code', '']);
  });

  it.each(['https://evil.example.com/realms/shop/token', 'https://sso.example.com.evil.com/x', 'http://127.0.0.1:1/x'])(
    'refuses to send a request to %s (RS-04)',
    async (url) => {
      const { seen, fetch } = await serverThat(answers(200));
      expect(await failure(fetch(url, FORM))).toMatchObject({
        code: 'authorization_server_refused',
        reason: 'endpoint_on_foreign_origin',
      });
      expect(seen.calls).toEqual([]);
    },
  );

  it('returns a 307 response, and does not follow its redirect (RS-04)', async () => {
    const elsewhere = await serverThat(answers(200));
    const { base, fetch } = await serverThat(answers(307, { Location: elsewhere.base }));
    const response = await fetch(base + TOKENS, { ...FORM, headers: { Authorization: 'Basic x' } });
    expect([response.status, elsewhere.seen.calls]).toEqual([307, []]);
  });

  it.each([200, 204, 400, 401, 403, 404])('returns a response with status %i', async (status) => {
    const { base, fetch } = await serverThat(answers(status, { 'Content-Type': 'text/html' }));
    expect((await fetch(base + TOKENS, FORM)).status).toBe(status);
  });

  it.each([408, 429, 500, 502, 503])('reports status %i as a server failure (RS-14)', async (status) => {
    const { base, fetch } = await serverThat(answers(status, { ...JSON_TYPE, 'Retry-After': '7' }, '{}'));
    expect(await failure(fetch(base + TOKENS, FORM))).toMatchObject({
      code: 'authorization_server_unavailable',
      reason: `answered_${status}_unexpected_status`,
      retryAfterSeconds: 7,
    });
  });

  it.each<[string, RequestListener, object]>([
    ['JSON with a member twice', answers(200, JSON_TYPE, '{"a":1,"a":2}'), { reason: 'answer_not_strict_json' }],
    [
      'a refusal with a member twice',
      answers(400, JSON_TYPE, '{"error":"a","error":"b"}'),
      { reason: 'answer_not_strict_json' },
    ],
    ['an answer over 1 MiB', answers(200, JSON_TYPE, `"${'x'.repeat(1024 * 1024)}"`), { reason: 'answer_too_large' }],
    ['a 205 response with a body', answers(205, {}, 'x'), { reason: 'nonsense_answer' }],
  ])('rejects %s without a retry (RS-15)', async (_, act, expected) => {
    const { base, seen, fetch } = await serverThat(act);
    const error = await failure(fetch(base + TOKENS));
    expect(error).toMatchObject({ code: 'authorization_server_unavailable', ...expected });
    expect(seen.calls).toHaveLength(1);
    expect(printedForms(error)).not.toContain('xxxx');
  });

  it.each<[string, RequestListener]>([
    ['answers 503', answers(503)],
    ['closes the connection', (request) => request.socket.destroy()],
  ])('retries a GET, but never a POST, if the server %s (CC-09, BF-08)', async (_, act) => {
    const { base, seen, fetch } = await serverThat(act);
    await failure(fetch(base + TOKENS, FORM));
    expect(seen.calls).toHaveLength(1);
    await failure(fetch(base + TOKENS));
    expect(seen.calls).toHaveLength(4);
  });

  it('rejects when timeoutMs has passed, and when the caller aborts the signal', async () => {
    const { base, fetch } = await serverThat(never, { timeoutMs: 100 });
    expect(await failure(fetch(base + TOKENS))).toMatchObject({ reason: 'timeout' });
    const patient = await serverThat(never);
    for (const signal of [AbortSignal.abort(), AbortSignal.timeout(50)]) {
      expect(await failure(patient.fetch(patient.base + TOKENS, { signal }))).toMatchObject({ reason: 'timeout' });
      expect(getMaxListeners(signal)).toBe(Infinity);
    }
  });

  it('keeps other endpoints usable while the calls to the token endpoint reach their limit (CC-09)', async () => {
    const { base, seen, fetch, connected } = await serverThat(
      (request, response) => {
        if (request.url?.includes('well-known') === true || request.url?.includes('introspect') === true) {
          answers(503)(request, response);
        }
      },
      { maxRetries: 0 },
    );
    const abort = new AbortController();
    const calls = Promise.all(
      Array.from({ length: 200 }, () => failure(fetch(base + TOKENS, { ...FORM, signal: abort.signal }))),
    );
    expect(await failure(connected.metadata.get())).toMatchObject({ reason: 'answered_503_unexpected_status' });
    const tokenCalls = (): number => seen.calls.filter((call) => call.includes('/token')).length;
    while (tokenCalls() < 3) await new Promise(setImmediate);
    abort.abort();
    const reasons = (await calls).map(({ reason }) => reason);
    expect(reasons.filter((reason) => reason === 'timeout')).toHaveLength(5);
    expect(reasons.filter((reason) => reason === 'queue_full')).toHaveLength(195);
    expect(tokenCalls()).toBe(3);
  });

  it('gives each pool of calls separate slots and a separate circuit breaker (CC-09)', async () => {
    const held: ServerResponse[] = [];
    let breaks = false;
    const { base, seen, connected } = await serverThat(
      (request, response) => {
        if (request.url?.includes('/certs') === true) answers(200)(request, response);
        else if (breaks) response.destroy();
        else held.push(response);
      },
      { circuitBreakerFailures: 3 },
    );
    const tokenCalls = (): number => seen.calls.filter((call) => call.includes('/token')).length;
    const [logins, sessions] = [connected.fetch, connected.fetch.apart('sessions')];
    const hung = Promise.all(Array.from({ length: 20 }, () => failure(logins.fetch(base + TOKENS, FORM))));
    expect((await sessions.fetch(`${base}${REALM}/certs`)).status).toBe(200);
    while (held.length < 3) await new Promise(setImmediate);
    breaks = true;
    for (const response of held) response.destroy();
    await hung;
    const before = tokenCalls();
    expect(await failure(logins.fetch(base + TOKENS, FORM))).toMatchObject({ reason: 'circuit_open' });
    expect((await sessions.fetch(`${base}${REALM}/certs`)).status).toBe(200);
    expect(tokenCalls()).toBe(before);
  });

  it('makes no calls while the circuit is open after repeated failures (CC-09)', async () => {
    const { base, seen, fetch } = await serverThat(answers(503), { circuitBreakerFailures: 3 });
    for (let at = 0; at < 3; at += 1) await failure(fetch(base + TOKENS, FORM));
    expect(await failure(fetch(base + TOKENS, FORM))).toMatchObject({ reason: 'circuit_open' });
    expect(seen.calls).toHaveLength(3);
  });

  it('does not count an aborted call as a failure, even if the call was already sent (CC-09)', async () => {
    const { base, seen, fetch } = await serverThat(
      (request, response) => {
        if (request.url?.includes('/certs') === true) answers(200)(request, response);
      },
      { circuitBreakerFailures: 1 },
    );
    expect(await failure(fetch(base + TOKENS, { signal: AbortSignal.abort() }))).toMatchObject({ reason: 'timeout' });
    const abort = new AbortController();
    const calls = Promise.all(
      Array.from({ length: 3 }, () => failure(fetch(base + TOKENS, { ...FORM, signal: abort.signal }))),
    );
    const arrived = (async () => {
      while (seen.calls.length < 3) await new Promise(setImmediate);
    })();
    await Promise.race([arrived, calls]);
    abort.abort();
    expect((await calls).map(({ reason }) => reason)).toEqual(['timeout', 'timeout', 'timeout']);
    expect((await fetch(`${base}${REALM}/certs`)).status).toBe(200);
  });

  it('throws TypeError for an unsupported request', async () => {
    const { base, fetch } = await serverThat(answers(200));
    await expect(fetch(base, { method: 'PUT' })).rejects.toThrow(TypeError);
    await expect(fetch(base, { method: 'POST', body: new Uint8Array() })).rejects.toThrow(TypeError);
  });

  it.each([
    ['Expect', '100-continue'],
    ['Transfer-Encoding', 'chunked'],
    ['Content-Length', '5'],
  ])('throws TypeError for the unsendable header %s, and does not open the circuit (CC-09)', async (name, value) => {
    const { base, seen, fetch } = await serverThat(answers(200), { circuitBreakerFailures: 1 });
    const request = { method: 'POST', body: 'a text', headers: { [name]: value } };
    await expect(fetch(base, request)).rejects.toThrow(TypeError);
    expect((await fetch(base)).status).toBe(200);
    expect(seen.calls).toEqual(['GET /']);
  });
});
