/** What each fault of the authorization server comes to, at each of the three places where it is asked (RS-14). */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../caching/clock.js';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import { printedForms } from '../testing/printed-forms.js';
import {
  breakOff,
  connectionTo,
  DISCOVERY,
  discoveryOf,
  hang,
  hangInBody,
  html,
  INTROSPECTION,
  json,
  raw,
  startScriptedRealm,
  TOKEN,
  tooLarge,
  truncated,
  type Script,
  type ScriptedServer,
} from '../testing/scripted-server.js';
import { connectToAuthorizationServer } from './connect.js';

let realm: ScriptedServer;
let elsewhere: ScriptedServer;

beforeEach(async () => {
  realm = await startScriptedRealm();
  elsewhere = await startScriptedRealm();
});

afterEach(async () => {
  await realm.stop();
  await elsewhere.stop();
});

const SUBJECT_TOKEN = 'dGhlLXRva2Vu.c2ln';

interface Place {
  readonly path: string;
  readonly good: (server: ScriptedServer) => Script;
  /** Something that asks there, on a connection of its own. */
  readonly asking: (timeoutMs?: number) => () => Promise<unknown>;
}

function connected(timeoutMs = 2000) {
  return connectToAuthorizationServer({ ...connectionTo(realm), timeoutMs }, systemClock);
}

const PLACES: readonly (readonly [string, Place])[] = [
  [
    'discovery',
    {
      path: DISCOVERY,
      good: (server) => json(discoveryOf(server)),
      asking: (timeoutMs) => {
        const { metadata } = connected(timeoutMs);
        return () => metadata.get();
      },
    },
  ],
  [
    'introspection',
    {
      path: INTROSPECTION,
      good: () => json({ active: false }),
      asking: (timeoutMs) => {
        const { introspection } = connected(timeoutMs);
        return () => introspection.introspect(SUBJECT_TOKEN);
      },
    },
  ],
  [
    'token endpoint',
    {
      path: TOKEN,
      good: () => json({ access_token: 'abc', token_type: 'Bearer', expires_in: 60, scope: 'orders.approve' }),
      asking: (timeoutMs) => {
        const { tokenEndpoint } = connected(timeoutMs);
        return () => tokenEndpoint.request({ grant_type: 'client_credentials', scope: 'orders.approve' });
      },
    },
  ],
];

const failure = async (asking: Promise<unknown>): Promise<AuthorizationServerError> => {
  const error = await asking.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof AuthorizationServerError)) throw new Error('No AuthorizationServerError', { cause: error });
  return error;
};

describe.each(PLACES)('%s', (_place, { path, good, asking }) => {
  it.each<[string, Script]>([
    ['500', raw(500)],
    ['502 with HTML', raw(502, '<html>Bad gateway</html>', { 'Content-Type': 'text/html' })],
    ['503', raw(503)],
    ['500 with an OAuth error', json({ error: 'unknown_error' }, 500)],
    ['408', raw(408)],
    ['429', raw(429)],
    ['200 with HTML', html],
    ['200 with truncated JSON', truncated],
    ['200 and nothing', raw(200, '', { 'Content-Type': 'application/json' })],
    ['200 with a JSON array', json([])],
    ['200 with JSON null', json(null)],
    ['201', json({ active: true }, 201)],
    ['204', raw(204)],
    ['more than 1 MiB', tooLarge],
    [
      'half an answer and a reset',
      (response) => response.writeHead(200, { 'Content-Length': '99' }).write('{', () => response.destroy()),
    ],
    ['a reset', breakOff],
  ])('answers %s: authorization_server_unavailable (RS-14)', async (_fault, script) => {
    realm.answer(path, script);
    expect(await failure(asking()())).toMatchObject({ code: 'authorization_server_unavailable', httpStatus: 503 });
  });

  it.each([
    ['nothing', hang],
    ['headers only', hangInBody],
  ])('sends %s: authorization_server_unavailable at the time-out (RS-14)', async (_fault, script) => {
    realm.answer(path, script);
    const error = await failure(asking(200)());
    expect([error.code, error.reason]).toEqual(['authorization_server_unavailable', 'timeout']);
  });

  it('is not there: authorization_server_unavailable (RS-14)', async () => {
    const ask = asking();
    await realm.stop();
    const error = await failure(ask());
    expect([error.code, error.reason]).toEqual(['authorization_server_unavailable', 'ECONNREFUSED']);
  });

  it.each([
    ['429', 429, '7', 7],
    ['503', 503, '120', 120],
    ['a day', 503, '86400', 300],
    ['no number', 503, 'Wed, 21 Oct 2026 07:28:00 GMT', undefined],
    ['less than nothing', 503, '-1', undefined],
  ])('passes Retry-After on, at most five minutes: %s (RS-14)', async (_case, status, value, seconds) => {
    realm.answer(path, raw(status, '', { 'Retry-After': value }));
    expect((await failure(asking()())).retryAfterSeconds).toBe(seconds);
  });

  it.each([301, 302, 307, 308])('answers %i: the redirect is not followed (RS-04)', async (status) => {
    realm.answer(path, raw(status, '', { Location: elsewhere.url + path }));
    expect(await failure(asking()())).toMatchObject({ code: 'authorization_server_unavailable' });
    expect(elsewhere.requests).toHaveLength(0);
  });

  it.each<[string, Script]>([
    ['400', json({ error: 'invalid_request' }, 400)],
    ['401', json({ error: 'invalid_client', error_description: 'Invalid client credentials' }, 401)],
    ['401 with a challenge', json({ error: 'unauthorized_client' }, 401, { 'WWW-Authenticate': 'Basic realm="x"' })],
    ['403', json({ error: 'access_denied' }, 403)],
    ['403 with HTML', raw(403, '<html>')],
  ])('answers %s: authorization_server_refused', async (_case, script) => {
    realm.answer(path, script);
    expect(await failure(asking()())).toMatchObject({ code: 'authorization_server_refused', httpStatus: 502 });
  });

  it('is asked again after a failure', async () => {
    realm.answerInTurn(path, raw(500), breakOff, good(realm));
    const ask = asking();
    await failure(ask());
    await failure(ask());
    await expect(ask()).resolves.toBeDefined();
  });

  it('leaves no token, no secret and no answer in the error (RS-23)', async () => {
    const echo: Script = (response, request) =>
      json({ error: 'x', error_description: request.body }, 400)(response, request);
    for (const script of [echo, html, truncated, breakOff, raw(500, SUBJECT_TOKEN)]) {
      realm.answer(path, script);
      const printed = printedForms(await failure(asking()()));
      for (const secret of [SUBJECT_TOKEN, 'the-secret', Buffer.from('service').toString('base64'), 'It works']) {
        expect(printed).not.toContain(secret);
      }
    }
  });
});
