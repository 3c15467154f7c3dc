// Verifies a million tokens: `active` and `inactive` by introspection, `signed` by the signature.
import 'reflect-metadata';
import { generateKeyPairSync, randomFillSync, sign } from 'node:crypto';
import { createServer } from 'node:http';
import { getHeapSnapshot } from 'node:v8';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Authenticated, KeycloakGuard, KeycloakModule } from 'nestjs-keycloak-s2s';
import { jwtVerification } from 'nestjs-keycloak-s2s/jwt';
import { Introspection } from '../../libs/keycloak/dist/authorization-server/introspection.js';
import { decorateClass, moduleOf } from './nest.mjs';

const TOKENS = 1_000_000;
const active = process.argv[2] === 'active';
const signed = process.argv[2] === 'signed';
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const ISSUER = signed ? await publishKeys() : 'http://localhost/realms/bench';

// The benchmark searches the heap for this text. The heap may contain this file, so this file contains only the encoded
// text.
const MARK = signed
  ? Buffer.from(Buffer.from(JSON.stringify({ iss: ISSUER }).slice(0, 36)).toString('base64url'))
  : Buffer.from('VG9rZW5UZXh0SXNIZXJl', 'base64');
const SIGNED_HEADER = Buffer.from('{"alg":"EdDSA","typ":"JWT","kid":"bench"}').toString('base64url');
const HEADER = 'eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCJ9';

class Route {
  handle() {}
}
decorateClass(Route, Authenticated());

// A million HTTP answers would take minutes and add nothing to the heap figure.
Introspection.prototype.introspect = async () => answer();

const keycloak = {
  issuer: ISSUER,
  clientId: 'bench',
  clientSecret: 'secret',
  allowInsecureRequests: true,
  ...(signed ? { verification: 'jwt', jwt: jwtVerification() } : {}),
};
const app = await NestFactory.create(moduleOf({ imports: [KeycloakModule.forRoot(keycloak)] }), new FastifyAdapter(), {
  logger: ['error', 'warn'],
});
/** If `headersSent` is true, a refusal sets no header. */
const RESPONSE = { headersSent: true };
const guard = app.get(KeycloakGuard);

process.once('SIGTERM', () => process.exit());
const ANSWERS = { run, verify };
process.on('message', async ({ id, ask }) => ask in ANSWERS && process.send({ id, answer: await ANSWERS[ask]() }));
process.send({ listening: 'nowhere' });

async function run() {
  // This warm-up creates the objects that are created on first use, so that these objects do not count as growth.
  for (let n = 0; n < 1000; n += 1) await verify();
  const before = collected();
  let refused = 0;
  for (let n = 0; n < TOKENS; n += 1) if (!(await verify())) refused += 1;
  const peakBytes = process.memoryUsage().heapUsed;
  const after = collected();
  const found = await occurrences();
  const kept = token();
  if ((await occurrences()) === found) throw new Error(`A kept token of ${kept.length} bytes was not found`);
  return { tokens: TOKENS, refused, peakBytes, grownBytes: after - before, found };
}

async function verify() {
  const request = { headers: { authorization: `Bearer ${token()}` } };
  const context = {
    getType: () => 'http',
    getClass: () => Route,
    getHandler: () => Route.prototype.handle,
    getArgByIndex: () => request,
    switchToHttp: () => ({ getRequest: () => request, getResponse: () => RESPONSE }),
  };
  try {
    return await guard.canActivate(context);
  } catch (error) {
    if (error.reason === 'inactive') return false;
    throw error;
  }
}

/**
 * Has the length of a Keycloak token. The length of each part of the token is a multiple of four, so any characters of
 * base64url are valid.
 */
function token() {
  if (signed) return signedToken();
  const random = randomFillSync(Buffer.allocUnsafe(600)).toString('base64url');
  return `${HEADER}.${random.slice(0, 300)}${MARK.latin1Slice()}${random.slice(300, 401)}.${random.slice(404)}`;
}

function signedToken() {
  const text = `${SIGNED_HEADER}.${Buffer.from(JSON.stringify(claimsOf())).toString('base64url')}`;
  return `${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}`;
}

async function publishKeys() {
  const keys = [{ ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: 'EdDSA', use: 'sig' }];
  const server = createServer(({ url }, response) => {
    const issuer = `http://127.0.0.1:${server.address().port}/realms/bench`;
    const [token_endpoint, introspection_endpoint, jwks_uri] = ['token', 'introspect', 'keys'].map(
      (name) => `${issuer}/${name}`,
    );
    const document = { issuer, token_endpoint, introspection_endpoint, jwks_uri };
    response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify(url.endsWith('/keys') ? { keys } : document));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${server.address().port}/realms/bench`;
}

function answer() {
  return active ? JSON.parse(JSON.stringify({ active: true, ...claimsOf() })) : { active: false };
}

function claimsOf() {
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: ISSUER,
    aud: 'bench',
    sub: `00000000-0000-4000-8000-${String(Math.floor(Math.random() * 1e12)).padStart(12, '0')}`,
    exp: now + 300,
    iat: now,
    jti: `onrtac:${Math.random()}`,
    sid: `${Math.random()}`,
    typ: 'Bearer',
    azp: 'demo-cli',
    client_id: 'demo-cli',
    username: 'alice',
    preferred_username: 'alice',
    email: 'alice@example.com',
    email_verified: true,
    name: 'Alice Example',
    given_name: 'Alice',
    family_name: 'Example',
    scope: 'openid profile email orders.read',
    realm_access: { roles: ['order-manager'] },
    acr: '1',
    token_type: 'Bearer',
  };
}

function collected() {
  // V8 keeps the last matched text (legacy RegExp.$_), so this match replaces a token that V8 keeps.
  /x/.exec('x');
  for (let n = 0; n < 4; n += 1) globalThis.gc();
  return process.memoryUsage().heapUsed;
}

async function occurrences() {
  let found = 0;
  let rest = Buffer.alloc(0);
  for await (const chunk of getHeapSnapshot()) {
    const part = Buffer.concat([rest, Buffer.from(chunk)]);
    for (let at = part.indexOf(MARK); at >= 0; at = part.indexOf(MARK, at + 1)) found += 1;
    rest = part.subarray(-(MARK.length - 1));
  }
  return found;
}
