import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

const AUDIENCE = process.argv[2];
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const KEY = { ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: 'RS256', use: 'sig' };
const HEADER = encoded({ alg: 'RS256', typ: 'JWT', kid: 'bench' });
const calls = {};

const server = createServer(async (request, response) => {
  const endpoint = request.url.split('/').at(-1);
  calls[endpoint] = (calls[endpoint] ?? 0) + 1;
  const body = JSON.stringify(await answerOf(endpoint, request));
  response.setHeader('content-type', 'application/json').end(body);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const ISSUER = `http://127.0.0.1:${server.address().port}/realms/bench`;

process.once('SIGTERM', () => process.exit());
const ANSWERS = { issuer: () => ISSUER, tokens: () => Array.from({ length: 1000 }, signedToken), calls: () => calls };
process.on('message', ({ id, ask }) => ask in ANSWERS && process.send({ id, answer: ANSWERS[ask]() }));
process.send({ listening: ISSUER });

async function answerOf(endpoint, request) {
  switch (endpoint) {
    case 'keys':
      return { keys: [KEY] };
    case 'introspect': {
      const token = new URLSearchParams(await text(request)).get('token');
      return { ...JSON.parse(Buffer.from(token.split('.')[1], 'base64url')), active: true, client_id: 'demo-cli' };
    }
    default: {
      const [token_endpoint, introspection_endpoint, jwks_uri] = ['token', 'introspect', 'keys'].map(
        (name) => `${ISSUER}/${name}`,
      );
      return { issuer: ISSUER, token_endpoint, introspection_endpoint, jwks_uri };
    }
  }
}

function signedToken() {
  const now = Math.floor(Date.now() / 1000);
  const payload = encoded({
    exp: now + 3600,
    iat: now,
    jti: `onrtro:${randomUUID()}`,
    iss: ISSUER,
    aud: AUDIENCE,
    sub: randomUUID(),
    typ: 'Bearer',
    azp: 'demo-cli',
    sid: randomUUID(),
    acr: '1',
    realm_access: { roles: ['default-roles-bench', 'offline_access', 'order-manager', 'uma_authorization'] },
    scope: 'openid profile email orders.read',
    email_verified: true,
    name: 'Alice Example',
    preferred_username: 'alice',
    given_name: 'Alice',
    family_name: 'Example',
    email: 'alice@example.com',
  });
  const input = `${HEADER}.${payload}`;
  return `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`;
}

function encoded(part) {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
