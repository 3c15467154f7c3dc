import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { Administrator } from '../../../keycloak-test-servers/contract/administrator.js';
import { CLIENT_SECRET, startTestRealm } from '../../../keycloak-test-servers/spec-support/test-realm.js';
import { connectionTo } from '../../spec-support/test-realm.js';
import { systemClock } from '../caching/clock.js';
import type { ClientAuthentication } from '../client-authentication/client-authentication.js';
import { clientAssertionFile } from '../client-authentication/client-assertion-file.js';
import { clientSecretFile, clientSecretFrom } from '../client-authentication/client-secret.js';
import { privateKeyJwt } from '../client-authentication/private-key-jwt.js';
import { createAuthorizationServer, type AuthorizationServerCalls } from './create-authorization-server.js';

let realm: RunningAuthorizationServer;
let administrator: Administrator;
let client: string;
let folder: string;
let file: string;
let aheadMs: number;
let dateAheadSeconds: number;

const newKey = (): string =>
  String(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }));

beforeAll(async () => {
  realm = await startTestRealm();
  administrator = new Administrator(realm.baseUrl, 'microservices');
  const [found] = await administrator.read<{ readonly id: string }[]>('/clients?clientId=service-b');
  client = `/clients/${found?.id}`;
  folder = mkdtempSync(join(tmpdir(), 'authenticator-'));
  file = join(folder, 'credential');
});
afterAll(async () => {
  await realm.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  aheadMs = 0;
  dateAheadSeconds = 0;
  await takes(CLIENT_SECRET);
});

const takes = (secret: string): Promise<void> =>
  administrator.change('PUT', client, { clientAuthenticatorType: 'client-secret', secret });

function serverFor(authentication: ClientAuthentication): AuthorizationServerCalls {
  const clock = {
    epochSeconds: () => systemClock.epochSeconds() + dateAheadSeconds,
    monotonicMs: () => systemClock.monotonicMs() + aheadMs,
  };
  const silent = { log: () => undefined, error: () => undefined };
  const clientAuthentication = authentication.connect({ clock, log: silent });
  return createAuthorizationServer({ ...connectionTo(realm), clientAuthentication }, clock);
}

const asked = (server: AuthorizationServerCalls): Promise<unknown[]> =>
  Promise.all([server.introspection.introspect('the.unknown.token'), server.tokenEndpoint.clientCredentials('')]);

const counted = (): readonly [introspections: number, tokens: number] => {
  const { introspection, token } = realm.control.calls;
  return [introspection, token.client_credentials];
};

describe('replaced credentials', () => {
  it('are read from the file after a refusal, and the retry succeeds (CC-08)', async () => {
    writeFileSync(file, CLIENT_SECRET);
    const server = serverFor(clientSecretFile(file));
    await asked(server);
    await takes('another-secret-4711');
    writeFileSync(file, 'another-secret-4711');
    const before = counted();
    await asked(server);
    expect(counted().map((times, at) => times - (before[at] ?? 0))).toEqual([2, 2]);
  });

  it('cause a separate error for each request if the credentials can not be read', async () => {
    const server = serverFor(clientSecretFrom(() => Promise.reject(new Error('The vault is away'))));
    const [introspection, token] = await Promise.allSettled([
      server.introspection.introspect('the.unknown.token'),
      server.tokenEndpoint.clientCredentials('orders.read'),
    ]);
    const fieldsOf = (settled: PromiseSettledResult<unknown>): unknown =>
      settled.status === 'rejected' ? (settled.reason as { fields: unknown }).fields : undefined;
    const at = (endpoint: string): string => `${realm.issuer}/protocol/openid-connect/${endpoint}`;
    expect(fieldsOf(introspection)).toEqual({ client: 'service-b', endpoint: at('token/introspect') });
    expect(fieldsOf(token)).toEqual({
      grant: 'client_credentials',
      scope: 'orders.read',
      client: 'service-b',
      endpoint: at('token'),
    });
  });

  it('are used even if the file is updated slightly later than the server', async () => {
    writeFileSync(file, CLIENT_SECRET);
    const server = serverFor(clientSecretFile(file));
    await asked(server);
    await takes('another-secret-4711');
    const asking = asked(server);
    setTimeout(() => writeFileSync(file, 'another-secret-4711'), 100);
    await expect(asking).resolves.toHaveLength(2);
  });

  it('are tried once, so the request fails if the server refuses the new credentials', async () => {
    const secrets = ['wrong-1', 'wrong-2', 'wrong-3'];
    const server = serverFor(clientSecretFrom(() => secrets.shift() ?? 'wrong-4', { refreshSeconds: 60 }));
    const before = counted();
    await expect(server.introspection.introspect('the.unknown.token')).rejects.toMatchObject({
      code: 'authorization_server_refused',
      reason: 'answered_401_invalid_client',
    });
    expect(counted()[0] - before[0]).toBe(2);
    expect(server.authenticator.secrets).toEqual(['wrong-1', 'wrong-2']);
  });

  it('are also used for the retry of a request that the application builds itself', async () => {
    writeFileSync(file, CLIENT_SECRET);
    const { authenticator } = serverFor(clientSecretFile(file));
    const [form, headers] = [new URLSearchParams(), new Headers()];
    await authenticator.authenticate(undefined, undefined, form, headers);
    expect(await authenticator.replaceRefused(new URLSearchParams(), new Headers())).toBe(false);
    writeFileSync(file, 'another');
    expect(await authenticator.replaceRefused(form, headers)).toBe(true);
    expect(headers.get('authorization')).toBe(`Basic ${Buffer.from('service%2Db:another').toString('base64')}`);
  });
});

describe('private key authentication', () => {
  const takesKeys = (keys: object): Promise<void> =>
    administrator.change('PUT', client, {
      clientAuthenticatorType: 'client-jwt',
      attributes: { 'use.jwks.string': 'true', 'jwks.string': JSON.stringify(keys) },
    });

  it('signs a new one-minute assertion for each request, with the issuer as audience (RFC 7523 §3, CC-08)', async () => {
    writeFileSync(file, newKey());
    const authentication = privateKeyJwt({ keyFile: file });
    await takesKeys(await authentication.publicKeys());
    const server = serverFor(authentication);
    await asked(server);
    await asked(server);
    const forms = await Promise.all(
      [1, 2].map(async () => {
        const form = new URLSearchParams();
        await server.authenticator.authenticate(undefined, undefined, form, new Headers());
        return form;
      }),
    );
    const assertions = forms.map((form) => form.get('client_assertion') ?? '');
    const [claims, other] = assertions.map((assertion) => decodeJwt(assertion));
    const now = Math.floor(Date.now() / 1000);
    expect(claims).toEqual({
      iss: 'service-b',
      sub: 'service-b',
      aud: realm.issuer,
      jti: expect.any(String),
      iat: expect.any(Number),
      exp: Number(claims?.iat) + 60,
    });
    expect(Math.abs(Number(claims?.iat) - now)).toBeLessThan(10);
    expect(claims?.jti).not.toBe(other?.jti);
    const [key] = (await authentication.publicKeys()).keys;
    expect(decodeProtectedHeader(assertions[0] ?? '')).toEqual({ alg: 'ES256', kid: key?.kid });
  });

  it('switches to a new key that the server already knows, without a refused request (CC-08)', async () => {
    const [old, next] = [newKey(), newKey()];
    writeFileSync(file, old + next);
    const authentication = privateKeyJwt({ keyFile: file });
    await takesKeys(await authentication.publicKeys());
    const server = serverFor(authentication);
    await asked(server);
    writeFileSync(file, next + old);
    aheadMs = 5000;
    const before = counted();
    await asked(server);
    expect(counted().map((times, at) => times - (before[at] ?? 0))).toEqual([1, 1]);
  });

  it('reads the key file again and retries if the server has removed the key (CC-08)', async () => {
    const [old, next] = [newKey(), newKey()];
    writeFileSync(file, old);
    const authentication = privateKeyJwt({ keyFile: file });
    await takesKeys(await authentication.publicKeys());
    const server = serverFor(authentication);
    await asked(server);
    writeFileSync(file, next);
    await takesKeys(await authentication.publicKeys());
    await expect(asked(server)).resolves.toHaveLength(2);
  });

  it('uses the time of the server in its assertions if the clock skew is known', async () => {
    writeFileSync(file, newKey());
    const authentication = privateKeyJwt({ keyFile: file });
    const server = serverFor(authentication);
    server.clockSkew.observeIssuedAt(Math.floor(Date.now() / 1000) - 100);
    const form = new URLSearchParams();
    await server.authenticator.authenticate(undefined, undefined, form, new Headers());
    expect(
      Math.abs(Number(decodeJwt(form.get('client_assertion') ?? '').iat) - (Date.now() / 1000 - 100)),
    ).toBeLessThan(10);
  });

  it.each([
    ['back', 0, -600],
    ['forward', 0, 600],
    ['forward to the right time', -600, 0],
    ['back to the right time', 600, 0],
  ])('still works after the date of this machine is set %s', async (_, before, after) => {
    dateAheadSeconds = before;
    writeFileSync(file, newKey());
    const authentication = privateKeyJwt({ keyFile: file });
    await takesKeys(await authentication.publicKeys());
    const server = serverFor(authentication);
    server.clockSkew.observeIssuedAt(Math.floor(Date.now() / 1000));
    await expect(asked(server)).resolves.toHaveLength(2);
    dateAheadSeconds = after;
    await expect(asked(server)).resolves.toHaveLength(2);
    await expect(asked(server)).resolves.toHaveLength(2);
  });

  it('ignores the Date header of a cached discovery document (RFC 9111 §5.1)', async () => {
    const body: unknown = await (await fetch(`${realm.issuer}/.well-known/openid-configuration`)).json();
    const headers = { Date: new Date(Date.now() - 600_000).toUTCString(), Age: '600' };
    realm.control.fault('discovery', { kind: 'answer', headers, body });
    writeFileSync(file, newKey());
    const authentication = privateKeyJwt({ keyFile: file });
    await takesKeys(await authentication.publicKeys());
    const server = serverFor(authentication);
    await server.metadata.get();
    realm.control.fault('discovery', undefined);
    await expect(server.tokenEndpoint.clientCredentials('')).resolves.toBeDefined();
  });

  it('measures no clock skew from the Date header of a cached key set', async () => {
    const server = serverFor(clientSecretFrom(() => CLIENT_SECRET));
    const headers = { Date: new Date(Date.now() - 600_000).toUTCString(), Age: '600' };
    realm.control.fault('jwks', { kind: 'answer', headers, body: { keys: [] } });
    await server.keySet('jwks').read();
    realm.control.fault('jwks', undefined);
    expect(Math.abs(server.clockSkew.measured?.aheadSeconds ?? 0)).toBeLessThan(10);
  });
});

describe('a client assertion from a file', () => {
  it('is sent unchanged, without a secret or an Authorization header (RFC 7523 §2.2)', async () => {
    const assertion = `${Buffer.from('{"alg":"RS256"}').toString('base64url')}.e30.c2ln`;
    writeFileSync(file, assertion);
    const { authenticator } = serverFor(clientAssertionFile(file));
    const [form, headers] = [new URLSearchParams({ token: 'x' }), new Headers()];
    await authenticator.authenticate(undefined, undefined, form, headers);
    expect(Object.fromEntries(form)).toEqual({
      token: 'x',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    });
    expect([...headers]).toEqual([]);
    expect(authenticator.secrets).toEqual([assertion]);
  });
});
