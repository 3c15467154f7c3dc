import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import type { Fault, RunningAuthorizationServer } from 'keycloak-test-servers';
import { printedForms } from '../../spec-support/printed-forms.js';
import { StillClock } from '../../spec-support/still-clock.js';
import { connectionTo } from '../../spec-support/test-realm.js';
import { CLIENT_SECRET, startTestRealm } from '../../../keycloak-test-servers/spec-support/test-realm.js';
import { createAuthorizationServer } from './create-authorization-server.js';

let realm: RunningAuthorizationServer;
let elsewhere: RunningAuthorizationServer;
let gone: RunningAuthorizationServer;

beforeAll(async () => {
  [realm, elsewhere, gone] = await Promise.all([startTestRealm(), startTestRealm(), startTestRealm()]);
  await gone.stop();
});
beforeEach(() => {
  for (const place of ['discovery', 'introspection', 'token'] as const) realm.control.fault(place, undefined);
});
afterAll(async () => {
  await realm.stop();
  await elsewhere.stop();
});

const BASIC_OF_SERVICE_A = Buffer.from('service%2Da:the%2Dsecret%3Aof+%2Bit').toString('base64');
const SUBJECT_TOKEN = 'dGhlLXRva2Vu.c2ln';

function askingAt(
  place: 'discovery' | 'introspection' | 'token',
  { server = realm, ...bend }: { readonly server?: typeof realm; readonly timeoutMs?: number } = {},
) {
  const options = { ...connectionTo(server, 'service-a'), ...bend };
  const { metadata, introspection, tokenEndpoint } = createAuthorizationServer(options, new StillClock());
  return {
    discovery: () => metadata.get(),
    introspection: () => introspection.introspect(SUBJECT_TOKEN),
    token: () => tokenEndpoint.clientCredentials('orders.approve'),
  }[place];
}

const says = (status: number, body: unknown = '', headers: Readonly<Record<string, string>> = {}): Fault => ({
  kind: 'answer',
  status,
  headers,
  body,
});
const HTML = { 'Content-Type': 'text/html' };

const failure = async (asking: Promise<unknown>): Promise<AuthorizationServerError> => {
  const error = await asking.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof AuthorizationServerError)) throw new Error('No AuthorizationServerError', { cause: error });
  return error;
};

describe.each(['discovery', 'introspection', 'token'] as const)('the %s endpoint', (place) => {
  const asking = (bend?: { readonly timeoutMs: number }) => askingAt(place, bend);

  it.each<[string, Fault]>([
    ['500', says(500)],
    ['502 with HTML', says(502, '<html>Bad gateway</html>', HTML)],
    ['503', says(503)],
    ['500 with an OAuth error', says(500, { error: 'unknown_error' })],
    ['408', says(408)],
    ['429', says(429)],
    ['200 with HTML', { kind: 'html' }],
    ['200 with the right body as plain text', { kind: 'wrong-content-type' }],
    ['200 with truncated JSON', says(200, '{"active":true')],
    ['200 with an empty body', { kind: 'empty' }],
    ['200 with a JSON array', says(200, [])],
    ['200 with JSON null', says(200, null)],
    ['200 with a duplicate member', { kind: 'duplicate-keys' }],
    ['200 with __proto__', { kind: 'proto' }],
    ['201', says(201, { active: true })],
    ['204', says(204)],
    ['more than 1 MiB', { kind: 'huge', megabytes: 2 }],
    ['a gzip bomb', { kind: 'gzip-bomb', megabytes: 20 }],
    ['an incomplete answer', { kind: 'truncated' }],
    ['with a reset of the connection', { kind: 'reset' }],
  ])('causes authorization_server_unavailable when the server answers %s (RS-14, RS-15)', async (_fault, fault) => {
    realm.control.fault(place, fault);
    expect(await failure(asking()())).toMatchObject({ code: 'authorization_server_unavailable', httpStatus: 503 });
  });

  it.each<[string, Fault]>([
    ['nothing', { kind: 'hang' }],
    ['only headers', { kind: 'slow-bytes', everyMs: 60_000 }],
    ['single bytes at intervals', { kind: 'slow-bytes', everyMs: 50 }],
  ])(
    'causes authorization_server_unavailable at the time-out when the server sends %s (RS-14)',
    async (_fault, fault) => {
      realm.control.fault(place, fault);
      const error = await failure(asking({ timeoutMs: 200 })());
      expect([error.code, error.reason]).toEqual(['authorization_server_unavailable', 'timeout']);
    },
  );

  it('causes authorization_server_unavailable when the server refuses the connection (RS-14)', async () => {
    const error = await failure(askingAt(place, { server: gone })());
    expect([error.code, error.reason]).toEqual(['authorization_server_unavailable', 'ECONNREFUSED']);
  });

  it.each<[string, 429 | 503, string, number | undefined]>([
    ['429', 429, '7', 7],
    ['503', 503, '120', 120],
    ['a day', 503, '86400', 300],
    ['a date in the past', 503, 'Wed, 21 Oct 2015 07:28:00 GMT', 0],
    ['a date in the far future', 503, 'Wed, 21 Oct 2115 07:28:00 GMT', 300],
    ['a date in an invalid format', 503, '2115-10-21', undefined],
    ['an impossible date', 503, 'Wed, 99 Oct 2115 07:28:00 GMT', undefined],
    ['a negative number', 503, '-1', undefined],
  ])('causes a Retry-After of at most five minutes: %s (RS-14)', async (_case, status, retryAfter, seconds) => {
    realm.control.fault(place, { kind: 'status', status, retryAfter });
    expect((await failure(asking()())).retryAfterSeconds).toBe(seconds);
  });

  it.each([
    'Wed, 21 Oct 2015 07:29:10 GMT',
    // Recipients must accept two obsolete formats (RFC 9110 §5.6.7).
    'Wednesday, 21-Oct-15 07:29:10 GMT',
    'Wed Oct 21 07:29:10 2015',
  ])('causes a Retry-After relative to the Date header for the date %s (CC-09)', async (retryAfter) => {
    const headers = { Date: 'Wed, 21 Oct 2015 07:28:00 GMT', 'Retry-After': retryAfter };
    realm.control.fault(place, { kind: 'answer', status: 503, headers, body: '' });
    expect((await failure(asking()())).retryAfterSeconds).toBe(70);
  });

  it.each([301, 302, 307, 308])(
    'causes an error instead of a redirect when the server answers %i (RS-04)',
    async (status) => {
      realm.control.fault(place, says(status, '', { Location: `${elsewhere.issuer}/protocol/openid-connect/certs` }));
      expect(await failure(asking()())).toMatchObject({ code: 'authorization_server_unavailable' });
      expect(elsewhere.control.calls.jwks).toBe(0);
    },
  );

  it.each<[string, Fault]>([
    ['400', says(400, { error: 'invalid_request' })],
    ['401', says(401, { error: 'invalid_client', error_description: 'Invalid client credentials' })],
    ['401 with a challenge', says(401, { error: 'unauthorized_client' }, { 'WWW-Authenticate': 'Basic realm="x"' })],
    ['403', says(403, { error: 'access_denied' })],
    ['403 with HTML', says(403, '<html>', HTML)],
  ])('causes authorization_server_refused when the server answers %s', async (_case, fault) => {
    realm.control.fault(place, fault);
    expect(await failure(asking()())).toMatchObject({ code: 'authorization_server_refused', httpStatus: 502 });
  });

  it('is called again after a failure', async () => {
    const ask = asking();
    for (const fault of [says(500), { kind: 'reset' }] as const) {
      realm.control.fault(place, fault);
      await failure(ask());
    }
    realm.control.fault(place, undefined);
    await expect(ask()).resolves.toBeDefined();
  });

  it('causes an error that contains no secrets, even if the answer contains secrets (RS-23)', async () => {
    const secrets = [
      CLIENT_SECRET,
      'the-secret',
      BASIC_OF_SERVICE_A,
      ...(place === 'introspection' ? [SUBJECT_TOKEN] : []),
    ];
    const echo = says(400, { error: 'x', error_description: secrets.join(' ') });
    for (const fault of [echo, says(500, secrets.join(' ')), { kind: 'html' }, { kind: 'reset' }] as const) {
      realm.control.fault(place, fault);
      const printed = printedForms(await failure(asking()()));
      expect(secrets.filter((secret) => printed.includes(secret))).toEqual([]);
      expect(printed).not.toContain('maintenance');
    }
  });
});
