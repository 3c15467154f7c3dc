// A fake authorization server: issues signed tokens, answers at once, and counts its calls by kind.
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

const [AUDIENCE, ALGORITHM = 'RS256'] = process.argv.slice(2);
const isEdDsa = ALGORITHM === 'EdDSA';
const { privateKey, publicKey } = isEdDsa
  ? generateKeyPairSync('ed25519')
  : generateKeyPairSync('rsa', { modulusLength: 2048 });
const KEY = { ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: ALGORITHM, use: 'sig' };
const HEADER = encoded({ alg: ALGORITHM, typ: 'JWT', kid: 'bench' });
const LIFETIME_SECONDS = isEdDsa ? 36_000 : 3600;
const EXCHANGED_SECONDS = 60;
let calls = {};

const server = createServer(async (request, response) => {
  const endpoint = request.url.split('/').at(-1);
  const form = request.method === 'POST' ? new URLSearchParams(await text(request)) : undefined;
  const kind = endpoint === 'token' ? form.get('grant_type').split(':').at(-1) : endpoint;
  calls[kind] = (calls[kind] ?? 0) + 1;
  response.setHeader('content-type', 'application/json').end(JSON.stringify(answerOf(endpoint, form)));
});
server.keepAliveTimeout = 0;
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const ISSUER = `http://127.0.0.1:${server.address().port}/realms/bench`;

process.once('SIGTERM', () => process.exit());
const ANSWERS = {
  issuer: () => ISSUER,
  tokens: () => Array.from({ length: 1000 }, signedToken),
  calls: () => calls,
  reset() {
    calls = {};
  },
};
process.on('message', ({ id, ask }) => ask in ANSWERS && process.send({ id, answer: ANSWERS[ask]() }));
process.send({ listening: ISSUER });

function answerOf(endpoint, form) {
  switch (endpoint) {
    case 'keys':
      return { keys: [KEY] };
    case 'introspect': {
      const payload = form.get('token').split('.')[1];
      return { ...JSON.parse(Buffer.from(payload, 'base64url')), active: true, client_id: 'demo-cli' };
    }
    case 'token':
      return issued(form);
    default: {
      const [token_endpoint, introspection_endpoint, jwks_uri] = ['token', 'introspect', 'keys'].map(
        (name) => `${ISSUER}/${name}`,
      );
      return { issuer: ISSUER, token_endpoint, introspection_endpoint, jwks_uri };
    }
  }
}

/** The signature of an issued token is constant, because the client does not check the signature. */
function issued(form) {
  const payload = encoded({ ...claims(), iat: undefined, aud: form.get('audience') ?? 'another-service' });
  return {
    access_token: `${HEADER}.${payload}.${'A'.repeat(isEdDsa ? 86 : 342)}`,
    token_type: 'Bearer',
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    expires_in: EXCHANGED_SECONDS,
    scope: form.get('scope') ?? '',
  };
}

function signedToken() {
  const input = `${HEADER}.${encoded(claims())}`;
  return `${input}.${sign(isEdDsa ? null : 'sha256', Buffer.from(input), privateKey).toString('base64url')}`;
}

function claims() {
  const now = Math.floor(Date.now() / 1000);
  return {
    exp: now + LIFETIME_SECONDS,
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
  };
}

function encoded(part) {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
