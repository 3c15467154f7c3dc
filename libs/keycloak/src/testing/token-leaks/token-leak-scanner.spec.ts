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
const OPAQUE = 'ya29/a0AfH6+SMBx7Qz3k1dM5vN8pR2tW4yB6cE9gJ0lO~uS.iKmXhZqLeVbTnFr==';

const running: TokenLeakScanner[] = [];
const servers: Server[] = [];

afterEach(async () => {
  for (const scanner of running.splice(0)) scanner.stop();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

function start(...tokens: readonly string[]): TokenLeakScanner {
  const scanner = TokenLeakScanner.start();
  running.push(scanner);
  for (const token of tokens) scanner.addToken(token);
  return scanner;
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const formsIn = (text: string | Uint8Array, ...tokens: readonly string[]): string[] => {
  const scanner = start(...tokens);
  scanner.inspect('here', text);
  return scanner.leaks().map(({ form }) => form);
};

describe('an inspected text', () => {
  const escapedByJson = (text: string): string =>
    [...text].map((character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
  const percent = (text: string): string =>
    [...text].map((character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`).join('');

  it.each([
    ['a token', `<p>${TOKEN}</p>`, 'whole'],
    ['a token in bytes', Buffer.from(`\u00e9${TOKEN}`), 'whole'],
    ['a token between characters of its own alphabet', `abc-${TOKEN}_xyz`, 'whole'],
    ['a token in a URL', `http://localhost/?id_token_hint=${percent(TOKEN)}&state=x`, 'whole, escaped'],
    ['a token in a URL in a URL', encodeURIComponent(encodeURIComponent(percent(TOKEN))), 'whole, escaped'],
    ['a token in JSON in JSON', JSON.stringify(JSON.stringify({ token: TOKEN })), 'whole'],
    ['a token with every character escaped', `{"token":"${escapedByJson(TOKEN)}"}`, 'whole, escaped'],
    ['a token in base64', Buffer.from(TOKEN).toString('base64'), 'whole, in base64'],
    ['a token in base64url', Buffer.from(`client:${TOKEN}`).toString('base64url'), 'whole, in base64'],
    ['a token in base64 behind 1 other character', `x${Buffer.from(TOKEN).toString('base64')}`, 'whole, in base64'],
    ['a token in base64 behind 2 other characters', `xy${Buffer.from(TOKEN).toString('base64')}`, 'whole, in base64'],
    ['a token in base64 behind 3 other characters', `xyz${Buffer.from(TOKEN).toString('base64')}`, 'whole, in base64'],
    ['a token without its signature', `${HEADER}.${PAYLOAD}`, 'without its signature'],
    ['the encoded claims of a token', PAYLOAD, 'without its signature'],
    ['a signature', `sig=${SIGNATURE}`, 'signature alone'],
    ['32 characters of a signature', SIGNATURE.slice(21, 53), 'part'],
    ['32 characters of the claims', `…${PAYLOAD.slice(7, 39)}…`, 'part'],
    ['a truncated token', TOKEN.slice(0, -20), 'without its signature'],
  ])('leaks %s', (_, text, form) => {
    expect(formsIn(text, TOKEN, jwt({ ...CLAIMS, jti: 'trrtcc:other' }))).toEqual([form]);
  });

  it.each([
    ['unchanged', `"${OPAQUE}"`, 'whole'],
    ['in a URL', `?token=${encodeURIComponent(OPAQUE)}`, 'whole, escaped'],
    ['in JSON with escaped slashes', OPAQUE.replaceAll('/', '\\/'), 'whole, escaped'],
    ['in HTML', OPAQUE.replaceAll('=', '&#x3D;').replaceAll('+', '&#43;'), 'whole, escaped'],
    ['in part', OPAQUE.slice(0, 32), 'part'],
  ])('leaks an opaque token %s', (_, text, form) => {
    expect(formsIn(text, OPAQUE)).toEqual([form]);
  });

  it.each([
    ['a short secret', 'b-secret!', 'x b-secret!x', 'whole'],
    ['a secret of words', 'Übermorgen, an einem Dienstag im März', '(Übermorgen, an einem Dienstag im März)', 'whole'],
    ['a short secret in base64', 'b-secret', Buffer.from('service-b:b-secret').toString('base64'), 'whole, in base64'],
  ])('leaks an added secret: %s', (_, secret, text, form) => {
    expect(formsIn(text, secret)).toEqual([form]);
  });

  it.each([
    ['signed', TOKEN],
    ['without a signature', `${HEADER}.${PAYLOAD}`],
    ['unsigned', `${part({ alg: 'none' })}.${part({ sub: 'alice' })}.`],
  ])('leaks an unknown JWT, %s', (_, text) => {
    expect(formsIn(`?t=${text}`)).toEqual(['unknown JWT']);
    expect(formsIn(Buffer.from(`id:${text}`).toString('base64'))).toEqual(['unknown JWT, in base64']);
  });

  it.each([
    ['the header of a token', HEADER],
    ['31 characters of a token', PAYLOAD.slice(0, 31)],
    ['the decoded claims', JSON.stringify(CLAIMS)],
    ['the fingerprint of a token', fingerprint(TOKEN)],
    ['an encrypted cookie', `login-1=${part({ alg: 'dir', enc: 'A256GCM' })}..aXY.dGV4dA.dGFn`],
    ['an empty text', ''],
  ])('does not leak a token if it contains only %s', (_, text) => {
    expect(formsIn(text, TOKEN)).toEqual([]);
  });

  it('leaks a token if it contains any 32 consecutive characters after the header', () => {
    const secret = TOKEN.slice(HEADER.length + 1);
    const scanner = start(TOKEN, OPAQUE);
    const parts = Array.from({ length: secret.length - 31 }, (_, from) => secret.slice(from, from + 32));
    for (const [from, text] of parts.entries()) scanner.inspect(`from ${from}`, `~${text}~`);
    expect(scanner.leaks()).toHaveLength(parts.length);
  });

  it('does not leak an unknown JWT if onlyKnown is set', () => {
    const scanner = start(TOKEN);
    const ofTheSameSession = jwt({ ...CLAIMS, typ: 'Serialized-ID' });
    scanner.inspect('KEYCLOAK_IDENTITY', ofTheSameSession, { onlyKnown: true });
    expect(scanner.leaks()).toEqual([]);
    scanner.inspect('KEYCLOAK_IDENTITY', TOKEN, { onlyKnown: true });
    expect(scanner.leaks()).toHaveLength(1);
    scanner.inspect('elsewhere', ofTheSameSession);
    expect(scanner.leaks()).toHaveLength(2);
  });

  it('leaks a token that is added after the inspection', () => {
    const scanner = start();
    scanner.inspect('here', `${OPAQUE} ${TOKEN}`);
    expect(scanner.leaks()).toMatchObject([{ form: 'unknown JWT' }]);
    scanner.addToken(OPAQUE);
    scanner.addToken(TOKEN);
    expect(scanner.leaks()).toEqual([
      { where: 'here', fingerprint: fingerprint(TOKEN), form: 'whole' },
      { where: 'here', fingerprint: fingerprint(OPAQUE), form: 'whole' },
    ]);
  });

  it.each(['.', '.x'])('leaks a token without a payload (%s) only if the text contains the whole token', (rest) => {
    const scanner = TokenLeakScanner.start();
    const junk = `eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9${rest}`;
    scanner.addToken(junk);
    scanner.inspect('an answer', 'no x');
    expect(scanner.leaks()).toEqual([]);
    scanner.inspect('another', `no ${junk}`);
    scanner.stop();
    expect(scanner.leaks()).toMatchObject([{ where: 'another', form: 'whole' }]);
  });

  it('is reported once for each token that it contains', () => {
    const short = `${part({ alg: 'none' })}.${part({ sub: 'x' })}.`;
    const twice = start(short);
    twice.inspect('here', `${short} ${short}`);
    expect(twice.leaks()).toEqual([{ where: 'here', fingerprint: fingerprint(short), form: 'whole' }]);
    const other = jwt({ ...CLAIMS, jti: 'other' });
    const scanner = start(TOKEN, other);
    scanner.inspect('one', `${TOKEN} ${TOKEN} ${PAYLOAD} ${percentDots(other)}`);
    scanner.inspect('other', TOKEN);
    scanner.inspect('other', `${TOKEN}`);
    expect(scanner.leaks()).toEqual([
      { where: 'one', fingerprint: fingerprint(TOKEN), form: 'whole' },
      { where: 'one', fingerprint: fingerprint(other), form: 'whole, escaped' },
      { where: 'other', fingerprint: fingerprint(TOKEN), form: 'whole' },
    ]);
  });

  const percentDots = (token: string): string => token.replaceAll('.', '%2E');
});

describe('printed output', () => {
  const { stdout, stderr } = process;
  const own = [stdout.write, stderr.write, globalThis.console] as const;
  beforeEach(() => {
    stdout.write = stderr.write = () => true;
    globalThis.console = new Console({ stdout, stderr });
  });
  afterEach(() => {
    [stdout.write, stderr.write, globalThis.console] = own;
  });

  it('is watched on stdout and stderr, even if a token is split into chunks', () => {
    const scanner = start(TOKEN);
    stdout.write(`first line\nsecond ${TOKEN.slice(0, 50)}`);
    stdout.write(Buffer.from(`${TOKEN.slice(50)} line\nthird ${OPAQUE}\n`));
    stderr.write(`${TOKEN.slice(0, 150)}`);
    expect(scanner.leaks()).toMatchObject([
      { where: 'stderr, line 1', fingerprint: fingerprint(TOKEN), form: 'part' },
      { where: 'stdout, line 2', fingerprint: fingerprint(TOKEN), form: 'whole' },
    ]);
    stderr.write(`${TOKEN.slice(150)}`);
    expect(scanner.leaks()).toMatchObject([
      { where: 'stderr, line 1', fingerprint: fingerprint(TOKEN), form: 'whole' },
      { where: 'stdout, line 2', fingerprint: fingerprint(TOKEN), form: 'whole' },
    ]);
  });

  it('is reported once if the console prints it, although the console also writes to the stream', () => {
    const scanner = start(TOKEN);
    console.log('caller %s', TOKEN);
    console.error({ error: new Error(TOKEN) });
    stdout.write(`${TOKEN}\n`);
    console.trace(TOKEN);
    expect(scanner.leaks().map(({ where }) => where)).toEqual([
      'console.log',
      'console.error',
      'stdout, line 1',
      'console.trace',
    ]);
  });

  it.each(['dir', 'dirxml', 'group', 'groupCollapsed'] as const)('is watched: console.%s', (method) => {
    const scanner = start(TOKEN);
    console[method](TOKEN);
    console.groupEnd();
    expect(scanner.leaks().map(({ where }) => where)).toEqual([`console.${method}`]);
  });

  it('is still written, and write() returns the same value as without a scanner', () => {
    const written: unknown[] = [];
    stdout.write = (...values: unknown[]) => written.push(values) > 1;
    start();
    const callback = (): void => undefined;
    expect([stdout.write('a', 'utf8', callback), stdout.write(Buffer.from('b'))]).toEqual([false, true]);
    expect(written).toEqual([['a', 'utf8', callback], [Buffer.from('b')]]);
  });

  it('is watched until the last scanner has stopped', () => {
    const before = [stdout.write, stderr.write, console.log];
    const [one, other] = [start(TOKEN), start(TOKEN)];
    one.stop();
    stdout.write(`${TOKEN}\n`);
    other.stop();
    one.stop();
    expect([stdout.write, stderr.write, console.log]).toEqual(before);
    stdout.write(`${SIGNATURE}\n`);
    expect([one.leaks().length, other.leaks().length]).toEqual([0, 1]);
  });

  it('is not inspected after the scanner has stopped, even if other code has wrapped write()', () => {
    const scanner = start(TOKEN);
    const { write } = stdout;
    const wrapped = (text: string): boolean => write.call(stdout, text);
    stdout.write = wrapped as typeof write;
    scanner.stop();
    expect([stdout.write, stdout.write(TOKEN)]).toEqual([wrapped, true]);
    expect(scanner.leaks()).toEqual([]);
  });

  it('must not contain an authorization code, unlike a URL', async () => {
    const scanner = start();
    // The middle part of the code is the session id, which is not secret.
    const sid = '0c9e4d7b-5f1e-4c52-9d3b-2f1f8a7c6e5d';
    const code = `f3a1.${sid}.5d2f`;
    const url = await serve((_, response) => void response.end('{}'));
    const { body } = await undiciRequest(url, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'authorization_code', code }).toString(),
    });
    await body.dump();
    scanner.addToken(`${code}-other`, 'code');
    scanner.inspect('the address', `http://localhost/callback?code=${code}-other`);
    expect([scanner.knownCount, scanner.leaks()]).toEqual([2, []]);
    stdout.write(`GET /callback?code=${code}\n{"sid":"${sid}"}\n`);
    scanner.inspect('the log of another process', `GET /callback?code=${code}\n`, { isPrinted: true });
    const leak = { fingerprint: fingerprint(code), form: 'whole' };
    expect(scanner.leaks()).toEqual([
      { where: 'stdout, line 1', ...leak },
      { where: 'the log of another process', ...leak },
    ]);
  });
});

describe('the tokens that the scanner knows', () => {
  it('include the tokens that this process receives in responses and requests', async () => {
    const scanner = start();
    const answer = { access_token: TOKEN, refresh_token: jwt({ typ: 'Refresh' }), id_token: jwt({ typ: 'ID' }) };
    const server = await serve((_, response) => void response.end(JSON.stringify(answer)));
    const { body } = await undiciRequest(server, { method: 'POST', body: 'grant_type=client_credentials' });
    await body.dump();
    expect(scanner.knownCount).toBe(3);
    await fetch(server, { headers: { Authorization: `Bearer ${OPAQUE}` } }).then((response) => response.text());
    await fetch(server, { headers: { Authorization: 'Bearer made-up-in-a-test' } }).then((response) => response.text());
    expect(scanner.knownCount).toBe(4);
    testTokenChannel.publish(`${OPAQUE}-of-the-testing-kit`);
    expect(scanner.knownCount).toBe(5);
    scanner.stop();
    await fetch(server, { headers: { Authorization: `Bearer ${OPAQUE}-other` } }).then((response) => response.text());
    expect(scanner.knownCount).toBe(5);
  });

  it("are read only from undici's diagnostics channels, not from other channels with an equal name", async () => {
    const { channels } = createRequire(import.meta.url)('undici/lib/core/diagnostics.js') as {
      readonly channels: Readonly<Record<string, Channel>>;
    };
    const watched = ['create', 'bodyChunkReceived', 'trailers'];
    const hasSubscribers = (): unknown[] => watched.map((name) => channels[name]?.hasSubscribers);
    const scanner = start();
    expect(hasSubscribers()).toEqual([true, true, true]);
    scanner.stop();
    expect(hasSubscribers()).toEqual([false, false, false]);
  });

  it('include the tokens that pass through the proxy, which forwards requests and responses', async () => {
    const scanner = start();
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
    const proxy = await scanner.proxyTo(server);
    const form = new URLSearchParams({ grant_type: 'authorization_code', code: 'another-code' });
    const answer = await fetch(`${proxy.baseUrl}/token`, { method: 'POST', body: form });
    expect([answer.status, answer.headers.getSetCookie(), await answer.json()]).toEqual([
      201,
      ['a=1', 'b=2'],
      { access_token: TOKEN },
    ]);
    expect(answer.headers.get('x-seen')).toBe(
      `POST ${new URL(proxy.baseUrl).host} application/x-www-form-urlencoded;charset=UTF-8 identity ${form.toString()}`,
    );
    await fetch(`${proxy.baseUrl}/auth`, { redirect: 'manual' });
    expect(scanner.knownCount).toBe(3);
    await proxy.stop();
    await proxy.stop();
    await expect(fetch(proxy.baseUrl)).rejects.toThrow('fetch failed');
  });

  it("can't be requested through a proxy that can't reach the server", async () => {
    const proxy = await start().proxyTo('http://127.0.0.1:9');
    await expect(fetch(proxy.baseUrl)).rejects.toThrow('fetch failed');
    await proxy.stop();
  });

  it('must have at least 8 characters', () => {
    expect(() => start('a-token')).toThrow(RangeError);
    expect(() => start().addToken('a-code', 'code')).toThrow(RangeError);
  });
});

describe('the report of the scanner', () => {
  it('is an error that lists place, fingerprint and form, and contains no token', () => {
    const scanner = start(TOKEN, OPAQUE);
    scanner.inspect('the body of /x', TOKEN);
    scanner.inspect(`GET /?token=${encodeURIComponent(OPAQUE)}`, OPAQUE);
    const error = (() => {
      try {
        return scanner.assertNone();
      } catch (thrown) {
        return thrown;
      }
    })() as TokenLeakError;
    expect(error).toBeInstanceOf(TokenLeakError);
    expect(error.message).toBe(
      `Tokens leaked:
  - ${fingerprint(TOKEN)} in the body of /x (whole)
  - ${fingerprint(OPAQUE)} in a place whose name contains a token (whole)`,
    );
    expect(error.leaks).toEqual(scanner.leaks());
    const printed =
      inspect(error, { depth: null, showHidden: true }) + inspect(scanner, { depth: null, showHidden: true });
    const checking = start(TOKEN, OPAQUE);
    checking.inspect('the report', printed);
    expect(checking.leaks()).toEqual([]);
  });

  it('is thrown only if a token leaked', () => {
    const scanner = start(TOKEN);
    scanner.inspect('the page', '<p>Hello</p>');
    expect(() => scanner.assertNone()).not.toThrow();
  });
});
