import { Console } from 'node:console';
import type { Channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { request as undiciRequest } from 'undici';
import { fingerprint } from '../../protocol/token-hash.js';
import { testTokenChannel } from '../test-token-channel.js';
import { TokenLeakError } from './token-leak-error.js';
import { TokenLeakScanner } from './token-leak-scanner.js';

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = (claims: object): string => {
  const signature = Buffer.from(fingerprint(JSON.stringify(claims)).repeat(16)).toString('base64url');
  return `${part({ alg: 'RS256', typ: 'JWT', kid: 'FJ86GcF3jTbNLOco4NvZkUCIUmfYCqoqtOQeMfbhNlE' })}.${part(claims)}.${signature}`;
};
const CLAIMS = { exp: 1_800_000_000, jti: 'trrtcc:0b4c8f0e', iss: 'http://localhost:8080/realms/test', sub: 'alice' };
const TOKEN = jwt(CLAIMS);
const [HEADER = '', PAYLOAD = '', SIGNATURE = ''] = TOKEN.split('.');
/** As other servers give out. */
const OPAQUE = 'ya29/a0AfH6+SMBx7Qz3k1dM5vN8pR2tW4yB6cE9gJ0lO~uS.iKmXhZqLeVbTnFr==';

const running: TokenLeakScanner[] = [];
const servers: Server[] = [];

afterEach(async () => {
  for (const leaks of running.splice(0)) leaks.stop();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

function start(...tokens: readonly string[]): TokenLeakScanner {
  const leaks = TokenLeakScanner.start();
  running.push(leaks);
  for (const token of tokens) leaks.issued(token);
  return leaks;
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const formsIn = (text: string | Uint8Array, ...tokens: readonly string[]): string[] => {
  const leaks = start(...tokens);
  leaks.saw('here', text);
  return leaks.found().map(({ form }) => form);
};

describe('what somebody saw', () => {
  const escapedByJson = (text: string): string =>
    [...text].map((character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
  const percent = (text: string): string =>
    [...text].map((character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`).join('');

  it.each([
    ['a token', `<p>${TOKEN}</p>`, 'whole'],
    ['a token in bytes', Buffer.from(`\u00e9${TOKEN}`), 'whole'],
    ['a token amid what could be its own', `abc-${TOKEN}_xyz`, 'whole'],
    ['a token in an address', `http://localhost/?id_token_hint=${percent(TOKEN)}&state=x`, 'whole, escaped'],
    ['a token in an address in an address', encodeURIComponent(encodeURIComponent(percent(TOKEN))), 'whole, escaped'],
    ['a token in JSON in JSON', JSON.stringify(JSON.stringify({ token: TOKEN })), 'whole'],
    ['a token of escapes', `{"token":"${escapedByJson(TOKEN)}"}`, 'whole, escaped'],
    ['a token in base64', Buffer.from(TOKEN).toString('base64'), 'whole, in base64'],
    ['a token in base64url', Buffer.from(`client:${TOKEN}`).toString('base64url'), 'whole, in base64'],
    ['a token in base64 behind 1 more of it', `x${Buffer.from(TOKEN).toString('base64')}`, 'whole, in base64'],
    ['a token in base64 behind 2 more of it', `xy${Buffer.from(TOKEN).toString('base64')}`, 'whole, in base64'],
    ['a token in base64 behind 3 more of it', `xyz${Buffer.from(TOKEN).toString('base64')}`, 'whole, in base64'],
    ['a token without its signature', `${HEADER}.${PAYLOAD}`, 'without its signature'],
    ['the claims of a token as they were sent', PAYLOAD, 'without its signature'],
    ['a signature', `sig=${SIGNATURE}`, 'signature alone'],
    ['32 characters of a signature', SIGNATURE.slice(21, 53), 'part'],
    ['32 characters of the claims', `…${PAYLOAD.slice(7, 39)}…`, 'part'],
    ['a token that was cut', TOKEN.slice(0, -20), 'without its signature'],
  ])('is a leak: %s', (_, text, form) => {
    expect(formsIn(text, TOKEN, jwt({ ...CLAIMS, jti: 'trrtcc:other' }))).toEqual([form]);
  });

  it.each([
    ['as it is', `"${OPAQUE}"`, 'whole'],
    ['in an address', `?token=${encodeURIComponent(OPAQUE)}`, 'whole, escaped'],
    ['in JSON of who escapes slashes', OPAQUE.replaceAll('/', '\\/'), 'whole, escaped'],
    ['in HTML', OPAQUE.replaceAll('=', '&#x3D;').replaceAll('+', '&#43;'), 'whole, escaped'],
    ['in part', OPAQUE.slice(0, 32), 'part'],
  ])('is a leak: an opaque token %s', (_, text, form) => {
    expect(formsIn(text, OPAQUE)).toEqual([form]);
  });

  it.each([
    ['a short secret', 'b-secret!', 'x b-secret!x', 'whole'],
    ['a secret of words', 'Übermorgen, an einem Dienstag im März', '(Übermorgen, an einem Dienstag im März)', 'whole'],
    ['a short secret in base64', 'b-secret', Buffer.from('service-b:b-secret').toString('base64'), 'whole, in base64'],
  ])('is a leak: %s that it was told of', (_, secret, text, form) => {
    expect(formsIn(text, secret)).toEqual([form]);
  });

  it.each([
    ['signed', TOKEN],
    ['without a signature', `${HEADER}.${PAYLOAD}`],
    ['unsigned', `${part({ alg: 'none' })}.${part({ sub: 'alice' })}.`],
  ])('is a leak: anything of the form of a JWT, %s', (_, text) => {
    expect(formsIn(`?t=${text}`)).toEqual(['of the form of a JWT']);
    expect(formsIn(Buffer.from(`id:${text}`).toString('base64'))).toEqual(['of the form of a JWT, in base64']);
  });

  it.each([
    ['the header of a token', HEADER],
    ['31 characters of it', PAYLOAD.slice(0, 31)],
    ['what it says, in words', JSON.stringify(CLAIMS)],
    ['its fingerprint', fingerprint(TOKEN)],
    ['a sealed cookie', `login-1=${part({ alg: 'dir', enc: 'A256GCM' })}..aXY.dGV4dA.dGFn`],
    ['nothing', ''],
  ])('is none: %s', (_, text) => {
    expect(formsIn(text, TOKEN)).toEqual([]);
  });

  it('is a leak: each 32 characters of a token behind its header', () => {
    const secret = TOKEN.slice(HEADER.length + 1);
    const leaks = start(TOKEN, OPAQUE);
    const parts = Array.from({ length: secret.length - 31 }, (_, from) => secret.slice(from, from + 32));
    for (const [from, text] of parts.entries()) leaks.saw(`from ${from}`, `~${text}~`);
    expect(leaks.found()).toHaveLength(parts.length);
  });

  it('may have the form of a JWT where it says so, and be no token all the same', () => {
    const leaks = start(TOKEN);
    const ofTheSameSession = jwt({ ...CLAIMS, typ: 'Serialized-ID' });
    leaks.saw('KEYCLOAK_IDENTITY', ofTheSameSession, { onlyKnown: true });
    expect(leaks.found()).toEqual([]);
    leaks.saw('KEYCLOAK_IDENTITY', TOKEN, { onlyKnown: true });
    expect(leaks.found()).toHaveLength(1);
    leaks.saw('elsewhere', ofTheSameSession);
    expect(leaks.found()).toHaveLength(2);
  });

  it('is a leak also when the token becomes known later', () => {
    const leaks = start();
    leaks.saw('here', `${OPAQUE} ${TOKEN}`);
    expect(leaks.found()).toMatchObject([{ form: 'of the form of a JWT' }]);
    leaks.issued(OPAQUE);
    leaks.issued(TOKEN);
    expect(leaks.found()).toEqual([
      { where: 'here', fingerprint: fingerprint(TOKEN), form: 'whole' },
      { where: 'here', fingerprint: fingerprint(OPAQUE), form: 'whole' },
    ]);
  });

  it.each(['.', '.x'])('is searched through for a token that is hardly more than its header (%s)', (rest) => {
    const leaks = TokenLeakScanner.start();
    const junk = `eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9${rest}`;
    leaks.issued(junk);
    leaks.saw('an answer', 'no x');
    expect(leaks.found()).toEqual([]);
    leaks.saw('another', `no ${junk}`);
    leaks.stop();
    expect(leaks.found()).toMatchObject([{ where: 'another', form: 'whole' }]);
  });

  it('names each token at each place once', () => {
    const short = `${part({ alg: 'none' })}.${part({ sub: 'x' })}.`;
    const twice = start(short);
    twice.saw('here', `${short} ${short}`);
    expect(twice.found()).toEqual([{ where: 'here', fingerprint: fingerprint(short), form: 'whole' }]);
    const other = jwt({ ...CLAIMS, jti: 'other' });
    const leaks = start(TOKEN, other);
    leaks.saw('one', `${TOKEN} ${TOKEN} ${PAYLOAD} ${percentDots(other)}`);
    leaks.saw('other', TOKEN);
    leaks.saw('other', `${TOKEN}`);
    expect(leaks.found()).toEqual([
      { where: 'one', fingerprint: fingerprint(TOKEN), form: 'whole' },
      { where: 'one', fingerprint: fingerprint(other), form: 'whole, escaped' },
      { where: 'other', fingerprint: fingerprint(TOKEN), form: 'whole' },
    ]);
  });

  const percentDots = (token: string): string => token.replaceAll('.', '%2E');
});

describe('what is printed', () => {
  const { stdout, stderr } = process;
  const own = [stdout.write, stderr.write, globalThis.console] as const;
  beforeEach(() => {
    // What is printed here is for the scanners alone, which stand in front of this.
    stdout.write = stderr.write = () => true;
    globalThis.console = new Console({ stdout, stderr });
  });
  afterEach(() => {
    [stdout.write, stderr.write, globalThis.console] = own;
  });

  it('is watched: both streams, whatever the chunks', () => {
    const leaks = start(TOKEN);
    stdout.write(`first line\nsecond ${TOKEN.slice(0, 50)}`);
    stdout.write(Buffer.from(`${TOKEN.slice(50)} line\nthird ${OPAQUE}\n`));
    stderr.write(`${TOKEN.slice(0, 150)}`);
    expect(leaks.found()).toMatchObject([
      { where: 'stderr, line 1', fingerprint: fingerprint(TOKEN), form: 'part' },
      { where: 'stdout, line 2', fingerprint: fingerprint(TOKEN), form: 'whole' },
    ]);
    stderr.write(`${TOKEN.slice(150)}`);
    expect(leaks.found()).toMatchObject([
      { where: 'stderr, line 1', fingerprint: fingerprint(TOKEN), form: 'whole' },
      { where: 'stdout, line 2', fingerprint: fingerprint(TOKEN), form: 'whole' },
    ]);
  });

  it('is watched: a console, that of Node too, whose words come by the stream as well', () => {
    const leaks = start(TOKEN);
    console.log('caller %s', TOKEN);
    console.error({ error: new Error(TOKEN) });
    stdout.write(`${TOKEN}\n`);
    // Which prints by another method.
    console.trace(TOKEN);
    expect(leaks.found().map(({ where }) => where)).toEqual([
      'console.log',
      'console.error',
      'stdout, line 1',
      'console.trace',
    ]);
  });

  it.each(['dir', 'dirxml', 'group', 'groupCollapsed'] as const)('is watched: console.%s', (method) => {
    const leaks = start(TOKEN);
    console[method](TOKEN);
    console.groupEnd();
    expect(leaks.found().map(({ where }) => where)).toEqual([`console.${method}`]);
  });

  it('goes its way, and its writers get their answer', () => {
    const written: unknown[] = [];
    stdout.write = (...values: unknown[]) => written.push(values) > 1;
    start();
    const callback = (): void => undefined;
    expect([stdout.write('a', 'utf8', callback), stdout.write(Buffer.from('b'))]).toEqual([false, true]);
    expect(written).toEqual([['a', 'utf8', callback], [Buffer.from('b')]]);
  });

  it('is let alone afterwards, in whatever order scanners end', () => {
    const before = [stdout.write, stderr.write, console.log];
    const [one, other] = [start(TOKEN), start(TOKEN)];
    one.stop();
    stdout.write(`${TOKEN}\n`);
    other.stop();
    one.stop();
    expect([stdout.write, stderr.write, console.log]).toEqual(before);
    stdout.write(`${SIGNATURE}\n`);
    expect([one.found().length, other.found().length]).toEqual([0, 1]);
  });

  it('goes on for who wrapped it meanwhile', () => {
    const leaks = start(TOKEN);
    const { write } = stdout;
    const wrapped = (text: string): boolean => write.call(stdout, text);
    stdout.write = wrapped as typeof write;
    leaks.stop();
    expect([stdout.write, stdout.write(TOKEN)]).toEqual([wrapped, true]);
    expect(leaks.found()).toEqual([]);
  });

  it('holds no authorization code, which an address does by right', async () => {
    const leaks = start();
    // The middle is the id of the session, which is no secret by itself.
    const sid = '0c9e4d7b-5f1e-4c52-9d3b-2f1f8a7c6e5d';
    const code = `f3a1.${sid}.5d2f`;
    const url = await serve((_, response) => void response.end('{}'));
    const { body } = await undiciRequest(url, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'authorization_code', code }).toString(),
    });
    await body.dump();
    leaks.issued(`${code}-other`, 'code');
    leaks.saw('the address', `http://localhost/callback?code=${code}-other`);
    expect([leaks.known, leaks.found()]).toEqual([2, []]);
    stdout.write(`GET /callback?code=${code}\n{"sid":"${sid}"}\n`);
    leaks.saw('the log of another process', `GET /callback?code=${code}\n`, { isPrinted: true });
    const leak = { fingerprint: fingerprint(code), form: 'whole' };
    expect(leaks.found()).toEqual([
      { where: 'stdout, line 1', ...leak },
      { where: 'the log of another process', ...leak },
    ]);
  });
});

describe('the tokens of a run', () => {
  it('are those that this process is given and called with', async () => {
    const leaks = start();
    const answer = { access_token: TOKEN, refresh_token: jwt({ typ: 'Refresh' }), id_token: jwt({ typ: 'ID' }) };
    const server = await serve((_, response) => void response.end(JSON.stringify(answer)));
    const { body } = await undiciRequest(server, { method: 'POST', body: 'grant_type=client_credentials' });
    await body.dump();
    expect(leaks.known).toBe(3);
    await fetch(server, { headers: { Authorization: `Bearer ${OPAQUE}` } }).then((response) => response.text());
    await fetch(server, { headers: { Authorization: 'Bearer made-up-in-a-test' } }).then((response) => response.text());
    expect(leaks.known).toBe(4);
    testTokenChannel.publish(`${OPAQUE}-of-the-testing-kit`);
    expect(leaks.known).toBe(5);
    leaks.stop();
    await fetch(server, { headers: { Authorization: `Bearer ${OPAQUE}-other` } }).then((response) => response.text());
    expect(leaks.known).toBe(5);
  });

  it('are heard of where undici tells of them, whatever else has a channel of that name', async () => {
    const { channels } = createRequire(import.meta.url)('undici/lib/core/diagnostics.js') as {
      readonly channels: Readonly<Record<string, Channel>>;
    };
    const watched = ['create', 'bodyChunkReceived', 'trailers'];
    const heard = (): unknown[] => watched.map((name) => channels[name]?.hasSubscribers);
    const leaks = start();
    expect(heard()).toEqual([true, true, true]);
    leaks.stop();
    expect(heard()).toEqual([false, false, false]);
  });

  it('are those that come through its door, which changes nothing else', async () => {
    const leaks = start();
    const code = '7f2c.code.81aa-0017';
    const server = await serve((request, response) => {
      if (request.url === '/auth') return void response.writeHead(302, { location: `http://a/b?code=${code}` }).end();
      const { host, 'content-type': type, 'accept-encoding': encoding } = request.headers;
      void request
        .toArray()
        .then((chunks) =>
          response.setHeader('x-seen', `${request.method} ${host} ${type} ${encoding} ${chunks.join('')}`),
        )
        .then(() => response.writeHead(201, { 'set-cookie': ['a=1', 'b=2'] }).end(`{"access_token":"${TOKEN}"}`));
    });
    const door = await leaks.inFrontOf(server);
    const form = new URLSearchParams({ grant_type: 'authorization_code', code: 'another-code' });
    const answer = await fetch(`${door.baseUrl}/token`, { method: 'POST', body: form });
    expect([answer.status, answer.headers.getSetCookie(), await answer.json()]).toEqual([
      201,
      ['a=1', 'b=2'],
      { access_token: TOKEN },
    ]);
    expect(answer.headers.get('x-seen')).toBe(
      `POST ${new URL(door.baseUrl).host} application/x-www-form-urlencoded;charset=UTF-8 identity ${form.toString()}`,
    );
    await fetch(`${door.baseUrl}/auth`, { redirect: 'manual' });
    expect(leaks.known).toBe(3);
    await door.stop();
    await door.stop();
    await expect(fetch(door.baseUrl)).rejects.toThrow('fetch failed');
  });

  it('pass by its door as a broken connection when the server is not there', async () => {
    const door = await start().inFrontOf('http://127.0.0.1:9');
    await expect(fetch(door.baseUrl)).rejects.toThrow('fetch failed');
    await door.stop();
  });

  it('are no words that stand anywhere', () => {
    expect(() => start('a-token')).toThrow(RangeError);
    expect(() => start().issued('a-code', 'code')).toThrow(RangeError);
  });
});

describe('a report', () => {
  it('is an error that lists where, which and how, and holds no token', () => {
    const leaks = start(TOKEN, OPAQUE);
    leaks.saw('the body of /x', TOKEN);
    leaks.saw(`GET /?token=${encodeURIComponent(OPAQUE)}`, OPAQUE);
    const error = (() => {
      try {
        return leaks.assertNone();
      } catch (thrown) {
        return thrown;
      }
    })() as TokenLeakError;
    expect(error).toBeInstanceOf(TokenLeakError);
    expect(error.message).toBe(
      `Tokens showed where nobody must see them:
  - ${fingerprint(TOKEN)} in the body of /x (whole)
  - ${fingerprint(OPAQUE)} in a place whose name holds a token (whole)`,
    );
    expect(error.leaks).toEqual(leaks.found());
    const told = inspect(error, { depth: null, showHidden: true }) + inspect(leaks, { depth: null, showHidden: true });
    const checking = start(TOKEN, OPAQUE);
    checking.saw('the report', told);
    expect(checking.found()).toEqual([]);
  });

  it('is none when nothing showed', () => {
    const leaks = start(TOKEN);
    leaks.saw('the page', '<p>Hello</p>');
    expect(() => leaks.assertNone()).not.toThrow();
  });
});
