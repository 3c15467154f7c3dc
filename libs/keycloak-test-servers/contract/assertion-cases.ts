import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, type GenerateKeyPairResult } from 'jose';
import { BAD_CLIENT, BAD_SECRET, refused, type ContractCase } from './expectations.js';
import { answer } from './observations.js';
import { clientCredentials, post, type Reply } from './requests.js';
import type { ContractServer } from './server.js';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const SECRET = 'a-secret-of-its-own';

let keys: Promise<GenerateKeyPairResult> | undefined;
const ownKeys = (): Promise<GenerateKeyPairResult> => (keys ??= generateKeyPair('RS256', { extractable: true }));

interface Bend {
  readonly kid?: string;
  readonly claims?: object;
  readonly aheadSeconds?: number;
}

async function assertionOf(server: ContractServer, clientId: string, bend: Bend = {}): Promise<string> {
  const { kid = 'own', claims = {}, aheadSeconds = 0 } = bend;
  const { privateKey } = await ownKeys();
  const now = Math.floor(Date.now() / 1000) + aheadSeconds;
  const all = {
    iss: clientId,
    sub: clientId,
    aud: server.issuer,
    jti: randomUUID(),
    iat: now,
    exp: now + 60,
    ...claims,
  };
  return new SignJWT(all).setProtectedHeader({ alg: 'RS256', kid }).sign(privateKey);
}

async function withSigningClient<T>(server: ContractServer, use: (clientId: string) => Promise<T>): Promise<T> {
  const clientId = `client-${randomUUID()}`;
  const { publicKey } = await ownKeys();
  const jwk = { ...(await exportJWK(publicKey)), kid: 'own', alg: 'RS256', use: 'sig' };
  const client = {
    clientId,
    publicClient: false,
    serviceAccountsEnabled: true,
    standardFlowEnabled: false,
    clientAuthenticatorType: 'client-jwt',
    attributes: { 'use.jwks.string': 'true', 'jwks.string': JSON.stringify({ keys: [jwk] }) },
  };
  return server.administrator.having('/clients', client, () => use(clientId));
}

const asks = (server: ContractServer, path: '/token' | '/token/introspect', form: Record<string, string>) =>
  post(server, path, { ...(path === '/token' ? { grant_type: 'client_credentials' } : { token: 'a.b.c' }), ...form });

const byAssertion = (client_assertion: string): Record<string, string> => ({
  client_assertion_type: ASSERTION_TYPE,
  client_assertion,
});

const statusOf = ({ status }: Reply): number => status;

const bent = (title: string, bend: Bend, refusal: ContractCase['answer']): ContractCase => ({
  title,
  ask: (server) =>
    withSigningClient(server, async (clientId) => {
      const replies = [];
      for (const path of ['/token', '/token/introspect'] as const) {
        const form = { client_id: clientId, ...byAssertion(await assertionOf(server, clientId, bend)) };
        replies.push(answer(server, await asks(server, path, form)));
      }
      return replies;
    }),
  answer: [refusal, refusal],
});

export const ASSERTION_CASES: readonly ContractCase[] = [
  {
    title: 'by an assertion, at the token endpoint and at the introspection endpoint, even if client_id is missing',
    ask: (server) =>
      withSigningClient(server, async (clientId) => {
        const statuses = [];
        for (const path of ['/token', '/token/introspect'] as const) {
          for (const more of [{}, { client_id: clientId }]) {
            const form = { ...more, ...byAssertion(await assertionOf(server, clientId)) };
            statuses.push(statusOf(await asks(server, path, form)));
          }
        }
        return statuses;
      }),
    answer: [200, 200, 200, 200],
  },
  {
    title: 'by an assertion that was used before',
    ask: (server) =>
      withSigningClient(server, async (clientId) => {
        const form = byAssertion(await assertionOf(server, clientId));
        const first = await asks(server, '/token', form);
        return [statusOf(first), answer(server, await asks(server, '/token', form))];
      }),
    answer: [200, refused(400, 'invalid_client', 'Token reuse detected')],
  },
  bent(
    'by an assertion with an unknown kid',
    { kid: 'other' },
    refused(400, 'invalid_client', 'Unable to load public key'),
  ),
  bent(
    'by an assertion for another audience',
    { claims: { aud: 'https://other.example' } },
    refused(400, 'invalid_client', 'Invalid token audience'),
  ),
  bent('by an assertion that another client has issued', { claims: { iss: 'other' } }, BAD_CLIENT),
  bent(
    'by an assertion from the future',
    { aheadSeconds: 60 },
    refused(400, 'invalid_client', 'Token was issued in the future'),
  ),
  bent(
    'by an assertion that has expired',
    { aheadSeconds: -120 },
    refused(400, 'invalid_client', 'Token is not active'),
  ),
  {
    title: 'by a secret, or by no credentials, although the client must send an assertion',
    ask: (server) =>
      withSigningClient(server, async (client_id) => {
        const forms = [{ client_id }, { client_id, client_secret: SECRET }];
        return Promise.all(forms.map(async (form) => answer(server, await asks(server, '/token', form))));
      }),
    answer: Array.from({ length: 2 }, () =>
      refused(400, 'invalid_client', 'Parameter client_assertion_type is missing'),
    ),
  },
  {
    title: 'a regenerated secret replaces the former secret immediately',
    async ask(server) {
      const clientId = `client-${randomUUID()}`;
      const client = { clientId, secret: SECRET, publicClient: false, serviceAccountsEnabled: true };
      return server.administrator.having('/clients', client, async (path) => {
        const made = await server.administrator.ask('POST', `${path}/client-secret`);
        const { type, value } = (await made.json()) as { readonly type: string; readonly value: string };
        const shown = await server.administrator.read<{ readonly value: string }>(`${path}/client-secret`);
        return [
          [made.status, type, shown.value === value, value === SECRET],
          answer(server, await clientCredentials(server, `${clientId}:${SECRET}`)),
          statusOf(await clientCredentials(server, `${clientId}:${value}`)),
        ];
      });
    },
    answer: [[200, 'secret', true, false], BAD_SECRET, 200],
  },
];
