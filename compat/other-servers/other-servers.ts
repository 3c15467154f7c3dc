import assert from 'node:assert/strict';
import { jwtVerification } from 'nestjs-keycloak-s2s/jwt';
import { ask, type Answer } from './ask.js';
import { startBoth } from './both.js';

const ISSUER = process.env['ISSUER'] ?? '';

const PROFILES = {
  rfc9068: {
    settings: { verification: 'jwt', jwt: jwtVerification() },
    idToken: 'not_an_access_token',
    refreshToken: 'token_malformed',
  },
  // oidc-provider does not introspect JWTs, and reports a refresh token as active, but without an audience.
  rfc7662: { settings: {}, idToken: 'inactive', refreshToken: 'aud_missing' },
} as const;

type Form = Readonly<Record<string, string>>;

async function granted(client: string, form: Form): Promise<Form> {
  const authorization = `Basic ${Buffer.from(`${client}:${client}-secret`).toString('base64')}`;
  const answer = await fetch(`${ISSUER}/token`, {
    method: 'POST',
    headers: { authorization },
    body: new URLSearchParams(form),
  });
  const body = (await answer.json()) as Form;
  assert.equal(answer.status, 200, JSON.stringify(body));
  return body;
}

const loggedIn = (username: string, scope: string, more: Form = {}): Promise<Form> =>
  granted('orders', { grant_type: 'urn:compat:login', username, scope, audience: 'orders', ...more });

const refused = ({ status, body }: Answer): readonly unknown[] => [
  status,
  body['code'],
  body['reason'] ?? body['permission'],
];

async function main(): Promise<void> {
  const profile = process.env['PROFILE'] as keyof typeof PROFILES;
  const { settings, idToken, refreshToken } = PROFILES[profile];
  const both = await startBoth(ISSUER, { profile, exposeRefusalReasons: true, verifyAtStart: true, ...settings });
  const { ordersUrl, inventoryUrl } = both;
  const guarded = (token?: string): Promise<Answer> => ask(`${ordersUrl}/orders/guarded`, token);

  const alice = await loggedIn('alice', 'orders.read');
  assert.equal(alice['access_token'].split('.').length, profile === 'rfc9068' ? 3 : 1);
  assert.deepEqual(await guarded(alice['access_token']), { status: 200, body: { subject: 'alice' } });
  assert.equal((await guarded()).status, 401);
  assert.equal((await ask(`${ordersUrl}/orders/forgotten`, alice['access_token'])).status, 403);

  for (const route of ['stock', 'stock-by-http-service']) {
    const stock = await ask(`${ordersUrl}/orders/${route}`, alice['access_token']);
    assert.deepEqual(stock, { status: 200, body: { left: 3, reader: 'alice', through: 'orders' } });
  }
  const bob = await loggedIn('bob', 'orders.read');
  const refusal = await ask(`${ordersUrl}/orders/stock`, bob['access_token']);
  assert.deepEqual(
    [refusal.status, refusal.body['code'], refusal.body['permission']],
    [403, 'insufficient_scope', 'stock.read'],
  );

  const acting = await loggedIn('alice', 'orders.read', { actor: 'agent' });
  assert.deepEqual(await guarded(acting['access_token']), {
    status: 200,
    body: { subject: 'alice', actor: { issuer: ISSUER, subject: 'agent', clientId: 'orders' } },
  });

  // The id of this client equals the `sub` of a user.
  const batch = await granted('alice', {
    grant_type: 'client_credentials',
    scope: 'orders.read',
    resource: 'https://orders.test',
  });
  assert.deepEqual(await guarded(batch['access_token']), { status: 200, body: { subject: 'client:alice' } });

  assert.deepEqual(refused(await ask(`${inventoryUrl}/stock`, alice['access_token'])), [
    401,
    'invalid_token',
    'other_audience',
  ]);
  assert.deepEqual(refused(await guarded(alice['id_token'])), [401, 'invalid_token', idToken]);
  assert.deepEqual(refused(await guarded(alice['refresh_token'])), [401, 'invalid_token', refreshToken]);
  await both.close();
}

main().catch((error: unknown) => {
  console.error(error);
  // The services may still be running, so the process exits explicitly.
  process.exit(1);
});
