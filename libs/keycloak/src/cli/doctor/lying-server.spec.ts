import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { runDoctor } from './run-doctor.js';

const SECRET = 'S3cretValue0123456789abcdef';
const ADMIN_TOKEN = 'eyJhbGciOiJub25lIn0.e30.admin-token-4711';

type Answer = (request: IncomingMessage, body: string) => { readonly status?: number; readonly body: unknown };

let server: Server;
let base: string;
let answers: Record<string, Answer>;
beforeAll(async () => {
  server = createServer((request, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const path = (request.url ?? '').replace(/\?.*/, '');
      const answer = answers[path]?.(request, Buffer.concat(chunks).toString()) ?? { status: 404, body: {} };
      response.writeHead(answer.status ?? 200, { 'content-type': 'application/json' });
      response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const tokenOf = (claims: object): string =>
  ['{"alg":"none"}', JSON.stringify(claims), 'x'].map((part) => Buffer.from(part).toString('base64url')).join('.');

const issuer = (): string => `${base}/realms/shop`;

function well(claims: object = { aud: 'ledger', iat: Math.round(Date.now() / 1000) }): Record<string, Answer> {
  const openid = `/realms/shop/protocol/openid-connect`;
  return {
    '/realms/shop/.well-known/openid-configuration': () => ({
      body: {
        issuer: issuer(),
        token_endpoint: `${base}${openid}/token`,
        introspection_endpoint: `${base}${openid}/introspect`,
        scopes_supported: ['ledger.read'],
      },
    }),
    [`${openid}/introspect`]: () => ({ body: { active: false } }),
    [`${openid}/token`]: (_, body) => ({
      body: {
        access_token: tokenOf(claims),
        token_type: 'Bearer',
        expires_in: 300,
        scope: new URLSearchParams(body).get('scope') ?? '',
        issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      },
    }),
    '/admin/serverinfo': () => ({ body: { systemInfo: { version: '26.7.5' } } }),
    '/admin/realms/shop': () => ({ body: { bruteForceProtected: true, sslRequired: 'external' } }),
    '/admin/realms/shop/clients': () => ({ body: [] }),
    '/admin/realms/shop/client-scopes': () => ({ body: [] }),
  };
}
beforeEach(() => {
  answers = well();
});

async function doctor(...flags: readonly string[]): Promise<{ exitCode: number; printed: string; failed: string }> {
  const ran = { printed: '', failed: '' };
  const exitCode = await runDoctor([...flags, '--calls', `ledger=${base},ledger.read`], {
    environment: {
      KEYCLOAK_ISSUER: issuer(),
      KEYCLOAK_CLIENT_ID: 'orders',
      KEYCLOAK_CLIENT_SECRET: SECRET,
      KEYCLOAK_ALLOW_INSECURE_REQUESTS: 'true',
      KEYCLOAK_ADMIN_TOKEN: ADMIN_TOKEN,
    },
    print: (text) => void (ran.printed += text),
    printError: (text) => void (ran.failed += text),
    hasColors: false,
  });
  expect(ran.printed + ran.failed).not.toContain(SECRET);
  expect(ran.printed + ran.failed).not.toContain(ADMIN_TOKEN);
  expect((ran.printed + ran.failed).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(ran.failed).toBe('');
  return { exitCode, ...ran };
}

describe('a misbehaving server', () => {
  it('passes all checks of doctor if the answers of the server are correct (control test)', async () => {
    expect((await doctor()).exitCode).toBe(0);
  });

  it('can not make doctor print a secret or a terminal escape sequence', async () => {
    const evil = `\u001b[2J\u202eevil\nFAKE LINE`;
    answers = {
      ...well({ aud: [SECRET, evil, ADMIN_TOKEN] }),
      '/admin/serverinfo': () => ({ body: { systemInfo: { version: ADMIN_TOKEN } } }),
      '/admin/realms/shop/clients': () => ({
        body: [
          { id: '1', clientId: `orders`, optionalClientScopes: ['ledger.read'] },
          { id: '2', clientId: evil },
        ],
      }),
      '/admin/realms/shop/client-scopes': () => ({
        body: [
          {
            id: '1',
            name: 'ledger.read',
            protocolMappers: [
              { protocolMapper: 'oidc-audience-mapper', config: { 'included.client.audience': `${evil} ${SECRET}` } },
            ],
          },
        ],
      }),
      '/admin/realms/shop/client-scopes/1/scope-mappings': () => ({ body: {} }),
      '/admin/realms/shop/client-scopes/1/scope-mappings/realm/composite': () => ({ body: [] }),
    };
    const { exitCode, printed } = await doctor('--admin');
    expect(exitCode).toBe(2);
    expect(printed).not.toContain('\nFAKE LINE');
    const json = JSON.parse((await doctor('--admin', '--json')).printed.replaceAll('\n', ' ')) as { worst: string };
    expect(json.worst).toBe('error');
  });

  it.each<[string, string, unknown]>([
    ['an endless list of clients', '/admin/realms/shop/clients', 'endless'],
    ['clients that are not objects', '/admin/realms/shop/clients', [null, 1, 'x', []]],
    ['clients that are not a list', '/admin/realms/shop/clients', {}],
    ['scopes that are not a list', '/admin/realms/shop/client-scopes', 5],
    ['a realm that is not JSON', '/admin/realms/shop', '<html>'],
    ['a version that is not a text', '/admin/serverinfo', { systemInfo: { version: 26 } }],
    ['an administrator without rights', '/admin/realms/shop', 403],
    ['an answer that is too large', '/admin/realms/shop/client-scopes', JSON.stringify('x'.repeat(2_000_000))],
  ])('causes an error with %s', async (_, path, body) => {
    const page = Array.from({ length: 100 }, (_each, at) => ({ id: String(at), clientId: `client-${at}` }));
    answers[path] = () =>
      typeof body === 'number' && body > 99 ? { status: body, body: {} } : { body: body === 'endless' ? page : body };
    const { exitCode, printed } = await doctor('--admin');
    expect(exitCode).toBe(2);
    expect(printed).toMatch(/✗ (administrator|client) /);
  });

  it.each([5, 'all', [1, null], {}])(
    'passes the checks if the discovery document has the scopes_supported %j',
    async (listed) => {
      const discovery = answers['/realms/shop/.well-known/openid-configuration'];
      answers['/realms/shop/.well-known/openid-configuration'] = (...asked) => ({
        body: { ...(discovery?.(...asked).body as object), scopes_supported: listed },
      });
      expect((await doctor()).exitCode).toBe(0);
    },
  );

  it.each([503, 429, 408, 500])(
    'causes no finding about a disabled service account if the token endpoint answers %i',
    async (status) => {
      answers['/realms/shop/protocol/openid-connect/token'] = () => ({ status, body: {} });
      const { printed } = await doctor();
      expect(printed).toMatch(/✗ service_account +Keycloak gives no usable answer/);
      expect(printed).not.toContain('Switch on "Service account roles"');
      expect(printed).toContain('The checks that depend on this were skipped');
    },
  );

  it.each([
    ['realms/shop/.well-known/openid-configuration'],
    ['realms/shop/protocol/openid-connect/token'],
    ['realms/shop/protocol/openid-connect/introspect'],
  ])('causes no finding if /%s gives no usable answer once', async (path) => {
    const correct = answers[`/${path}`];
    let asked = 0;
    answers[`/${path}`] = (...request) =>
      (asked += 1) === 1 ? { body: 'a page' } : (correct?.(...request) ?? { status: 404, body: {} });
    const { exitCode, printed } = await doctor();
    expect({ exitCode, printed }).toMatchObject({ exitCode: 0 });
    expect(asked).toBeGreaterThan(1);
  });

  it.each<[string, unknown]>([
    ['features that are not a list', 5],
    ['features that are not objects', [null, 'RESOURCE_INDICATORS']],
    ['a feature without a name', [{ enabled: true }]],
  ])('passes the checks with %s', async (_, features) => {
    answers['/admin/serverinfo'] = () => ({ body: { systemInfo: { version: '26.7.5' }, features } });
    expect((await doctor('--admin')).printed).not.toContain('resource-indicators');
  });

  it('is reported if the server grants a scope that was not requested', async () => {
    const token = answers['/realms/shop/protocol/openid-connect/token'];
    answers['/realms/shop/protocol/openid-connect/token'] = (...asked) => {
      const body = token?.(...asked).body as { scope: string };
      return { body: { ...body, scope: `${body.scope} noise`.trim() } };
    };
    const { exitCode, printed } = await doctor();
    expect(printed).toContain('Keycloak adds noise unasked, so each such call fails (scope_not_asked_for)');
    expect(exitCode).toBe(2);
  });

  it('does not pass the check of a scope if its token has the audience but not the scope', async () => {
    const token = answers['/realms/shop/protocol/openid-connect/token'];
    answers['/realms/shop/protocol/openid-connect/token'] = (...asked) => ({
      body: { ...(token?.(...asked).body as object), scope: 'email' },
    });
    expect((await doctor()).printed).not.toContain('granted, for this audience only');
  });
});

describe("an administrator's token", () => {
  it('is rejected if its text is not a token', async () => {
    const ran = { printed: '', failed: '' };
    const exitCode = await runDoctor(['--admin'], {
      environment: { KEYCLOAK_ADMIN_TOKEN: `{\n "access_token": "${ADMIN_TOKEN}"\n}` },
      print: (text) => void (ran.printed += text),
      printError: (text) => void (ran.failed += text),
      hasColors: false,
    });
    expect({ exitCode, ...ran }).toEqual({
      exitCode: 3,
      printed: '',
      failed: 'doctor: the access token of the administrator is malformed\n',
    });
  });
});
