import { createPublicKey, verify, type JsonWebKey } from 'node:crypto';
import { answer } from './observations.js';
import type { ContractCase } from './expectations.js';
import { basic, clientCredentials, request, textOf } from './requests.js';

const PROTOCOL = '/protocol/openid-connect';
const NOT_ALLOWED = { status: 405, error: 'HTTP 405 Method Not Allowed' };

export const DOCUMENT_CASES: readonly ContractCase[] = [
  {
    title: 'discovery names the issuer and the endpoints',
    async ask(server) {
      const { status, headers, members } = await request(server, '/.well-known/openid-configuration');
      const names = ['issuer', 'token_endpoint', 'introspection_endpoint', 'revocation_endpoint', 'jwks_uri'];
      const urls = [...names, 'userinfo_endpoint', 'authorization_endpoint', 'end_session_endpoint'].map((name) => [
        name,
        String(members[name]).replace(server.issuer, '<issuer>'),
      ]);
      return { status, type: headers.get('content-type'), ...Object.fromEntries(urls) };
    },
    answer: {
      status: 200,
      type: 'application/json',
      issuer: '<issuer>',
      token_endpoint: `<issuer>${PROTOCOL}/token`,
      introspection_endpoint: `<issuer>${PROTOCOL}/token/introspect`,
      revocation_endpoint: `<issuer>${PROTOCOL}/revoke`,
      jwks_uri: `<issuer>${PROTOCOL}/certs`,
      userinfo_endpoint: `<issuer>${PROTOCOL}/userinfo`,
      authorization_endpoint: `<issuer>${PROTOCOL}/auth`,
      end_session_endpoint: `<issuer>${PROTOCOL}/logout`,
    },
  },
  {
    title: 'discovery under another host name keeps the issuer, and names the endpoints under that host',
    async ask(server) {
      const other = { ...server, issuer: server.issuer.replace('localhost', '127.0.0.1') };
      const { members } = await request(other, '/.well-known/openid-configuration');
      return {
        issuer: members['issuer'] === server.issuer,
        token: members['token_endpoint'] === `${other.issuer}${PROTOCOL}/token`,
        jwks: members['jwks_uri'] === `${other.issuer}${PROTOCOL}/certs`,
        authorization: members['authorization_endpoint'] === `${server.issuer}${PROTOCOL}/auth`,
      };
    },
    answer: { issuer: true, token: true, jwks: true, authorization: true },
  },
  {
    title: 'discovery offers the grants and the client authentication that the library needs',
    async ask(server) {
      const { members } = await request(server, '/.well-known/openid-configuration');
      const offers = (name: string, value: string): boolean => (members[name] as string[]).includes(value);
      return [
        offers('grant_types_supported', 'client_credentials'),
        offers('grant_types_supported', 'urn:ietf:params:oauth:grant-type:token-exchange'),
        offers('token_endpoint_auth_methods_supported', 'client_secret_basic'),
        offers('introspection_endpoint_auth_methods_supported', 'client_secret_basic'),
        offers('scopes_supported', 'orders.approve'),
      ];
    },
    answer: [true, true, true, true, true],
  },
  {
    title: 'discovery contains all members that a login in a browser needs',
    async ask(server) {
      const { members } = await request(server, '/.well-known/openid-configuration');
      const offers = (name: string, ...values: string[]): boolean =>
        values.every((value) => (members[name] as string[]).includes(value));
      return [
        offers('grant_types_supported', 'authorization_code', 'refresh_token'),
        offers('response_types_supported', 'code'),
        offers('response_modes_supported', 'query', 'fragment'),
        offers('prompt_values_supported', 'none', 'login'),
        offers('code_challenge_methods_supported', 'plain', 'S256'),
        members['authorization_response_iss_parameter_supported'],
        members['backchannel_logout_supported'],
        members['backchannel_logout_session_supported'],
      ];
    },
    answer: [true, true, true, true, true, true, true, true],
  },
  {
    title: 'the keys verify an access token',
    async ask(server) {
      const jwt = textOf(await clientCredentials(server, 'service-a', 'orders.approve'));
      const [header = '', payload = '', signature = ''] = jwt.split('.');
      const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string };
      const { status, members } = await request(server, `${PROTOCOL}/certs`);
      const keys = members['keys'] as (JsonWebKey & { kid: string; use: string; alg: string })[];
      const key = keys.find((candidate) => candidate.kid === kid);
      if (key === undefined) throw new Error('The key set does not contain the key');
      const publicKey = createPublicKey({ key, format: 'jwk' });
      const isGood = verify(
        'RSA-SHA256',
        Buffer.from(`${header}.${payload}`),
        publicKey,
        Buffer.from(signature, 'base64url'),
      );
      return { status, kty: key.kty, alg: key.alg, use: key.use, isGood };
    },
    answer: { status: 200, kty: 'RSA', alg: 'RS256', use: 'sig', isGood: true },
  },
  {
    title: 'the page of the realm names the same host, even if a request uses another host name',
    async ask(server) {
      const elsewhere = { ...server, issuer: server.issuer.replace('localhost', '127.0.0.1') };
      const { public_key, ...rest } = answer(server, await request(elsewhere, ''));
      return { ...rest, key: typeof public_key };
    },
    answer: {
      status: 200,
      realm: 'microservices',
      'token-service': `<issuer>${PROTOCOL}`,
      'account-service': '<issuer>/account',
      'tokens-not-before': 0,
      key: 'string',
    },
  },
  ...['', '/.well-known/openid-configuration', `${PROTOCOL}/certs`].map((path): ContractCase => ({
    title: `an unknown realm is answered with 404: ${path}`,
    ask: async (server) => answer(server, await request({ ...server, issuer: `${server.issuer}-2` }, path)),
    answer: { status: 404, error: 'Realm does not exist' },
  })),
  {
    title: 'an unknown endpoint of the realm is answered with 404',
    ask: async (server) => answer(server, await request(server, `${PROTOCOL}/nothing-here`)),
    answer: { status: 404, error: 'HTTP 404 Not Found' },
  },
  {
    title: 'an unknown path outside of the realms is answered with 404',
    ask: async (server) => answer(server, await request({ ...server, issuer: server.baseUrl }, '/no-such')),
    answer: { status: 404, error: 'Unable to find matching target resource method' },
  },
  ...['/token', '/token/introspect', '/revoke'].flatMap((path) =>
    ['GET', 'PUT'].map((method): ContractCase => ({
      title: `${method} is not allowed at ${path}`,
      ask: async (server) =>
        answer(server, await request(server, PROTOCOL + path, { method, headers: basic('service-a') })),
      answer: NOT_ALLOWED,
    })),
  ),
  {
    title: 'POST is not allowed at the keys',
    ask: async (server) => answer(server, await request(server, `${PROTOCOL}/certs`, { method: 'POST' })),
    answer: NOT_ALLOWED,
  },
];
