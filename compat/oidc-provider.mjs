// Runs oidc-provider from the folder in the first argument. The second argument is the format of access tokens: jwt or
// opaque. This file adds a login without a browser and with an actor, and token exchange (RFC 8693).
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder = '', accessTokenFormat] = process.argv.slice(2);
const { Provider, errors } = await import(pathToFileURL(join(folder, 'lib/index.js')).href);

const LOGIN = 'urn:compat:login';
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

/** @type {Record<string, readonly string[]>} */
const USERS = { alice: ['orders.read', 'stock.read'], bob: ['orders.read'] };
/** Client ids by resource indicator. @type {Record<string, string>} */
const SERVICES = { 'https://orders.test': 'orders', 'https://inventory.test': 'inventory' };
const SCOPE = 'orders.read stock.read';

/** @param {string} resource */
function resourceServer(resource) {
  const audience = SERVICES[resource];
  if (audience === undefined) throw new errors.InvalidTarget();
  return { audience, scope: SCOPE, accessTokenFormat, jwt: { sign: { alg: 'ES256' } } };
}

/**
 * @param {string} clientId
 * @param {readonly string[]} grantTypes
 */
const clientOf = (clientId, grantTypes) => ({
  client_id: clientId,
  client_secret: `${clientId}-secret`,
  grant_types: grantTypes,
  redirect_uris: [],
  response_types: [],
  id_token_signed_response_alg: 'ES256',
});

const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', () => listening(undefined)));
const address = server.address();
const issuer = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const provider = new Provider(issuer, {
  clients: [
    clientOf('orders', ['client_credentials', LOGIN, EXCHANGE]),
    clientOf('inventory', ['client_credentials']),
    clientOf('alice', ['client_credentials']),
  ],
  scopes: ['openid', 'offline_access', ...SCOPE.split(' ')],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'compat' }] },
  enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined,
      getResourceServerInfo: (/** @type {unknown} */ _ctx, /** @type {string} */ resource) => resourceServer(resource),
    },
  },
  extraTokenClaims: (/** @type {any} */ ctx) => {
    const { actor } = ctx.oidc.params;
    return actor === undefined ? undefined : { act: { iss: issuer, sub: actor, client_id: ctx.oidc.client.clientId } };
  },
  findAccount: (/** @type {unknown} */ _ctx, /** @type {string} */ accountId) => ({
    accountId,
    claims: () => ({ sub: accountId }),
  }),
});

/**
 * Token exchange needs the issued JWTs, which oidc-provider does not store.
 * @type {Map<string, { accountId: string, audience: string }>}
 */
const issued = new Map();

/**
 * @param {any} ctx
 * @param {string} accountId
 * @param {string} audience
 * @param {string} scope
 */
async function accessToken(ctx, accountId, audience, scope) {
  const { client } = ctx.oidc;
  const resource = Object.keys(SERVICES).find((one) => SERVICES[one] === audience) ?? '';
  const token = new provider.AccessToken({ accountId, client, scope, gty: ctx.oidc.params.grant_type });
  token.resourceServer = new provider.ResourceServer(resource, resourceServer(resource));
  ctx.oidc.entity('AccessToken', token);
  const text = await token.save();
  issued.set(text, { accountId, audience });
  return { access_token: text, token_type: 'Bearer', expires_in: token.expiration, scope };
}

provider.registerGrantType(
  LOGIN,
  async (/** @type {any} */ ctx) => {
    const { client, params } = ctx.oidc;
    const { username: sub, audience, scope } = params;
    if (USERS[sub] === undefined) throw new errors.InvalidGrant('no such user');
    const tokens = await accessToken(ctx, sub, audience, scope);
    const idToken = new provider.IdToken({ sub }, { ctx });
    idToken.scope = 'openid';
    const refreshToken = new provider.RefreshToken({ accountId: sub, client, scope, gty: LOGIN });
    ctx.body = {
      ...tokens,
      id_token: await idToken.issue({ use: 'idtoken' }),
      refresh_token: await refreshToken.save(),
    };
  },
  ['username', 'audience', 'scope', 'actor'],
);

provider.registerGrantType(
  EXCHANGE,
  async (/** @type {any} */ ctx) => {
    const { client, params } = ctx.oidc;
    const {
      subject_token: text,
      subject_token_type: type,
      requested_token_type: wanted,
      audience,
      scope = '',
    } = params;
    if (type !== ACCESS_TOKEN || wanted !== ACCESS_TOKEN) throw new errors.InvalidRequest('access tokens alone');
    const subject = issued.get(text);
    if (subject === undefined || subject.audience !== client.clientId) throw new errors.InvalidGrant('subject_token');
    const may = USERS[subject.accountId] ?? [];
    if (!scope.split(' ').every((/** @type {string} */ one) => may.includes(one)))
      throw new errors.InvalidScope('not granted', scope);
    ctx.body = { ...(await accessToken(ctx, subject.accountId, audience, scope)), issued_token_type: ACCESS_TOKEN };
  },
  ['subject_token', 'subject_token_type', 'requested_token_type', 'audience', 'scope'],
);

server.on('request', provider.callback());
console.log(`issuer ${issuer}`);
