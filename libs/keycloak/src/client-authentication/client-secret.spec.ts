import { randomUUID } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../caching/clock.js';
import { ConfigurationError } from '../protocol/configuration-faults.js';
import { clientAssertionFile } from './client-assertion-file.js';
import type { ClientAuthentication, ConnectedClientAuthentication } from './client-authentication.js';
import { clientSecretFile, clientSecretFrom } from './client-secret.js';
import { privateKeyJwt } from './private-key-jwt.js';

let folder: string;
let file: string;
let lines: { readonly message: string; readonly fields: object }[];
let aheadMs: number;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'credentials-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => {
  file = join(folder, randomUUID());
  lines = [];
  aheadMs = 0;
});

function connect(authentication: ClientAuthentication): ConnectedClientAuthentication {
  const note = (message: string, fields: object): void => void lines.push({ message, fields });
  const clock = { monotonicMs: () => systemClock.monotonicMs() + aheadMs };
  return authentication.connect({ clock, log: { log: note, error: note } });
}

const secretOf = async (connected: ConnectedClientAuthentication): Promise<unknown> => {
  const credential = await connected.credential();
  return credential.kind === 'secret' ? credential.secret : credential;
};

const jwt = (): string =>
  `${Buffer.from('{"alg":"RS256"}').toString('base64url')}.e30.${Buffer.from(randomUUID()).toString('base64url')}`;

describe('a secret in a file', () => {
  it('is read again at the first use after five seconds, without surrounding white space (CC-08)', async () => {
    writeFileSync(file, '\n the-first \n');
    const connected = connect(clientSecretFile(file));
    expect(await secretOf(connected)).toBe('the-first');
    writeFileSync(file, 'the-second');
    expect(await secretOf(connected)).toBe('the-first');
    aheadMs = 5000;
    expect(await secretOf(connected)).toBe('the-second');
    expect(lines).toEqual([
      { message: 'The client credential was replaced. Requests to Keycloak use the new one.', fields: {} },
    ]);
  });

  it('is read again immediately after a refusal, even through a replaced symbolic link (CC-08)', async () => {
    const link = join(folder, randomUUID());
    writeFileSync(`${file}-1`, 'the-first');
    writeFileSync(`${file}-2`, 'the-second');
    symlinkSync(`${file}-1`, link);
    const connected = connect(clientSecretFile(link));
    const refused = await connected.credential();
    symlinkSync(`${file}-2`, `${link}-new`);
    renameSync(`${link}-new`, link);
    expect(await connected.isReplaced(refused)).toBe(true);
    expect(await secretOf(connected)).toBe('the-second');
    expect(await connected.isReplaced(refused)).toBe(true);
  });

  it('is read repeatedly for 0.5 s after a refusal, then at most once a second', async () => {
    writeFileSync(file, 'the-first');
    const connected = connect(clientSecretFile(file));
    const refused = await connected.credential();
    const both = [connected.isReplaced(refused), connected.isReplaced(refused)];
    await sleep(150);
    writeFileSync(file, 'the-second');
    expect(await Promise.all(both)).toEqual([true, true]);
    const next = await connected.credential();
    expect(await connected.isReplaced(next)).toBe(false);
    writeFileSync(file, 'the-third');
    expect(await connected.isReplaced(next)).toBe(false);
    aheadMs = 1000;
    expect(await connected.isReplaced(next)).toBe(true);
    expect(await secretOf(connected)).toBe('the-third');
  });

  it.each<[string, () => void, string]>([
    ['is gone', () => rmSync(file), 'ENOENT'],
    ['is empty', () => writeFileSync(file, ' \n'), 'empty'],
    ['is large', () => writeFileSync(file, 'x'.repeat(70_000)), 'too_long'],
    ['has two lines', () => writeFileSync(file, 'the-second\nthe-comment'), 'malformed'],
  ])('stays in use while the file %s, and the problem is logged once', async (_, spoil, reason) => {
    writeFileSync(file, 'the-first');
    const connected = connect(clientSecretFile(file));
    expect(await secretOf(connected)).toBe('the-first');
    spoil();
    for (aheadMs = 5000; aheadMs <= 20_000; aheadMs += 5000) expect(await secretOf(connected)).toBe('the-first');
    expect(lines).toEqual([
      { message: "The client credential can't be read. Requests to Keycloak use the last one.", fields: { reason } },
    ]);
    writeFileSync(file, 'the-second');
    aheadMs += 5000;
    expect(await secretOf(connected)).toBe('the-second');
  });

  it('must be valid at the start of the application', () => {
    const missing = join(folder, 'the-secret-4711');
    writeFileSync(file, '');
    for (const path of [missing, file, '', undefined]) {
      expect(() => clientSecretFile(path as string)).toThrow(ConfigurationError);
      expect(() => clientSecretFile(path as string)).not.toThrow(/4711/);
    }
    expect(() => clientSecretFile(missing)).toThrow(/can't be read \(ENOENT\)/);
    writeFileSync(file, 'the-secret-4711\nand more');
    expect(() => clientSecretFile(file)).toThrow(/must not contain a line break or another control character/);
    expect(() => clientSecretFile(file)).not.toThrow(/4711/);
  });

  it('is never printed', async () => {
    writeFileSync(file, 'the-secret-4711');
    const authentication = clientSecretFile(file);
    const connected = connect(authentication);
    await connected.credential();
    for (const one of [authentication, connected]) {
      expect(inspect(one, { depth: 9, showHidden: true }) + JSON.stringify(one)).not.toMatch(/4711/);
    }
  });
});

describe('a secret from a function', () => {
  it('is requested once for concurrent callers, and again after refreshSeconds (CC-08)', async () => {
    let calls = 0;
    const connected = connect(
      clientSecretFrom(
        async () => {
          calls += 1;
          await sleep(20);
          return `secret-${calls}`;
        },
        { refreshSeconds: 60 },
      ),
    );
    expect(await Promise.all([secretOf(connected), secretOf(connected)])).toEqual(['secret-1', 'secret-1']);
    expect(await secretOf(connected)).toBe('secret-1');
    aheadMs = 60_000;
    expect(await secretOf(connected)).toBe('secret-2');
    expect(await connected.isReplaced(await connected.credential())).toBe(true);
    expect(calls).toBe(3);
  });

  it.each<[string, () => unknown, string]>([
    ['rejects', () => Promise.reject(new Error('the-secret-4711')), 'malformed'],
    [
      'throws synchronously',
      () => {
        throw Object.assign(new Error('the-secret-4711'), { code: 'ECONNREFUSED' });
      },
      'ECONNREFUSED',
    ],
    ['takes too long', () => sleep(10_000, 'late', { ref: false }), 'timeout'],
    ['returns undefined', () => undefined, 'malformed'],
    ['returns white space', () => ' ', 'malformed'],
    ['returns two lines', () => 'the-secret-4711\nand more', 'malformed'],
  ])('fails the request if the function %s, without a text of the function in the log', async (_, read, reason) => {
    let isWell = false;
    const connected = connect(
      clientSecretFrom(async () => (isWell ? 'the-secret' : ((await read()) as string)), { timeoutMs: 100 }),
    );
    await expect(connected.credential()).rejects.toMatchObject({
      code: 'authorization_server_unavailable',
      reason: 'client_credential_unreadable',
    });
    expect(lines).toEqual([
      {
        message: "The client credential can't be read. Requests to Keycloak fail until the credential can be read.",
        fields: { reason },
      },
    ]);
    isWell = true;
    expect(await secretOf(connected)).toBe('the-secret');
  });

  it.each<[string, unknown[]]>([
    ['a value that is not a function', ['the-secret-4711']],
    ['a time-out that is too short', [() => 'x', { timeoutMs: 10 }]],
    ['a refresh time of 0', [() => 'x', { refreshSeconds: 0 }]],
    ['a misspelt option', [() => 'x', { refreshSecond: 5 }]],
  ])('causes a ConfigurationError for %s', (_, args) => {
    const make = (): unknown => (clientSecretFrom as (...all: unknown[]) => unknown)(...args);
    expect(make).toThrow(ConfigurationError);
    expect(make).not.toThrow(/4711/);
  });
});

describe('an assertion in a file', () => {
  it('is sent unchanged, and must be a JWT', async () => {
    const [first, second] = [jwt(), jwt()];
    writeFileSync(file, `${first}\n`);
    const connected = connect(clientAssertionFile(file));
    expect(await connected.credential()).toEqual({ kind: 'assertion', assertion: first });
    writeFileSync(file, 'no JWT');
    aheadMs = 5000;
    expect(await connected.credential()).toEqual({ kind: 'assertion', assertion: first });
    expect(() => clientAssertionFile(file)).toThrow(/must contain a signed JWT/);
    writeFileSync(file, second);
    aheadMs = 10_000;
    expect(await connected.credential()).toEqual({ kind: 'assertion', assertion: second });
  });
});

describe('a private key in a file', () => {
  it('must be a valid private key at the start of the application', () => {
    expect(() => privateKeyJwt({ keyFile: join(folder, 'missing') })).toThrow(/ENOENT/);
    writeFileSync(file, 'the-secret-4711');
    expect(() => privateKeyJwt({ keyFile: file })).toThrow(/must contain unencrypted private keys/);
    expect(() => privateKeyJwt({ keyFile: file })).not.toThrow(/4711/);
  });

  it('causes a ConfigurationError for an unknown option or missing options', () => {
    expect(() => privateKeyJwt({ keyFile: file, kid: 'the-secret-4711' } as never)).toThrow(/unknown option "kid"/);
    expect(() => privateKeyJwt(undefined as never)).toThrow(ConfigurationError);
  });
});
