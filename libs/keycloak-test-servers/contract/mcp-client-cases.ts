/** Requests of MCP clients, which find the server by RFC 8414 and send `resource` (RFC 8707). */
import { readFileSync } from 'node:fs';
import { redeem, refreshAt } from './code-cases.js';
import { REALM_FILE } from './demo-realm.js';
import { LOGIN_PAGE, refused, type ContractCase } from './expectations.js';
import { LoginBrowser, authorizationRequest, codeOf } from './login-browser.js';
import { answer, callback, claims, page } from './observations.js';
import { replyFrom, request, token, type Reply } from './requests.js';
import { callerOf, type ContractServer } from './server.js';

const DISCOVERY = '/.well-known/openid-configuration';
const METADATA = '/.well-known/oauth-authorization-server';
const RESOURCE = 'https://tools.example.com/mcp';

const MALFORMED = ['tools', 'https:tools', `${RESOURCE}?a=b`, `${RESOURCE}#a`, 'https://tools.example.com/{mcp}'];
const WELL_FORMED = [RESOURCE, 'http://localhost:3003', 'http://[::1]:3003/mcp', 'urn:client:service-a'];

const { clientScopes } = JSON.parse(readFileSync(REALM_FILE, 'utf8')) as { clientScopes: { name: string }[] };

/** RFC 8414 §3.1: the well-known path goes before the path of the issuer. */
const atRoot = ({ baseUrl, issuer }: ContractServer, document: string, init?: RequestInit): Promise<Reply> =>
  replyFrom(issuer.replace(baseUrl, baseUrl + document), init);

const authorize = async (server: ContractServer, resource: string): Promise<Reply> =>
  new LoginBrowser(server).authorize(await server.newClient('web'), { resource });

export const MCP_CLIENT_CASES: readonly ContractCase[] = [
  {
    title: 'finds the discovery document at the path of RFC 8414, and at the same path within the realm',
    async ask(server) {
      const documents = await Promise.all([
        request(server, DISCOVERY),
        atRoot(server, METADATA),
        request(server, METADATA),
      ]);
      const types = documents.map(({ status, headers }) => [status, headers.get('content-type')]);
      return [types, new Set(documents.map(({ members }) => JSON.stringify(members))).size];
    },
    answer: [Array.from({ length: 3 }, () => [200, 'application/json']), 1],
  },
  {
    title: 'finds neither OpenID Connect Discovery before the realm nor another realm, and may not post',
    async ask(server) {
      const other = { ...server, issuer: `${server.issuer}-2` };
      const replies = [
        await atRoot(server, DISCOVERY),
        await atRoot(other, METADATA),
        await atRoot(server, METADATA, { method: 'POST' }),
      ];
      return replies.map((reply) => answer(server, reply));
    },
    answer: [
      { status: 404, error: 'HTTP 404 Not Found' },
      { status: 404, error: 'Realm does not exist' },
      { status: 405, error: 'HTTP 405 Method Not Allowed' },
    ],
  },
  {
    title: 'finds the metadata of the realm master',
    async ask(server) {
      const { members } = await atRoot({ ...server, issuer: `${server.baseUrl}/realms/master` }, METADATA);
      return members['issuer'] === `${server.baseUrl}/realms/master`;
    },
    answer: true,
  },
  {
    title: 'reads that PKCE is supported, and that client id metadata documents are not',
    async ask(server) {
      const { members } = await atRoot(server, METADATA);
      return [members['code_challenge_methods_supported'], members['client_id_metadata_document_supported']];
    },
    answer: [['plain', 'S256'], undefined],
  },
  {
    title: 'reads the scopes of OpenID Connect in scopes_supported, except scopes that are hidden',
    async ask(server) {
      const { members } = await atRoot(await server.ownRealm(), METADATA);
      return (members['scopes_supported'] as string[]).toSorted();
    },
    answer: ['openid', ...clientScopes.map(({ name }) => name)].toSorted(),
  },
  {
    title: 'sends a resource with a login, a code and a refresh token: the tokens are those without a resource',
    async ask(server) {
      const client = await server.newClient('web');
      const resource = RESOURCE;
      const code = codeOf(await new LoginBrowser(server).login(client, 'alice', { resource }));
      const issued = await redeem(server, client, code, { resource });
      const refreshed = await refreshAt(server, client, issued, { resource: 'https://other.example.com' });
      return [issued, refreshed].map((reply) => claims(reply)['aud']);
    },
    answer: ['service-a', 'service-a'],
  },
  {
    title: 'sends a resource with its own login: the token endpoint ignores a resource of any form',
    async ask(server) {
      const client = await server.newClient('service');
      const replies = await Promise.all(
        [RESOURCE, ...MALFORMED].map((resource) =>
          token(server, { grant_type: 'client_credentials', scope: 'orders.approve', resource }, callerOf(client)),
        ),
      );
      return new Set(replies.map((reply) => `${reply.status} ${String(claims(reply)['aud'])}`));
    },
    answer: new Set(['200 service-b']),
  },
  {
    title: 'sends a well-formed resource: the login page is shown',
    ask: async (server) =>
      Promise.all(WELL_FORMED.map(async (resource) => page(await authorize(server, resource), 'Sign in'))),
    answer: WELL_FORMED.map(() => LOGIN_PAGE),
  },
  {
    title: 'sends a malformed resource: the browser is sent back with an error',
    ask: async (server) =>
      Promise.all(
        MALFORMED.map(async (resource) => {
          const { error, error_description } = callback(server, await authorize(server, resource));
          return { error, error_description };
        }),
      ),
    answer: MALFORMED.map(() => ({
      error: 'invalid_target',
      error_description: 'The requested resource is invalid, missing, unknown, or malformed.',
    })),
  },
  {
    title: 'sends two resources',
    async ask(server) {
      const client = await server.newClient('web');
      const query = `${authorizationRequest(client, { resource: RESOURCE }).toString()}&resource=${RESOURCE}`;
      const form = [['grant_type', 'client_credentials'], ...[RESOURCE, RESOURCE].map((each) => ['resource', each])];
      return [
        callback(server, await request(server, `/protocol/openid-connect/auth?${query}`))['error_description'],
        answer(server, await token(server, form as [string, string][], 'service-a')),
      ];
    },
    answer: ['duplicated parameter', refused(400, 'invalid_request', 'duplicated parameter')],
  },
];
