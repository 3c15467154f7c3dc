import { answer, page } from './observations.js';
import { ERROR_PAGE, refused, type ContractCase } from './expectations.js';
import { LoginBrowser } from './login-browser.js';
import { chainOf, clientCredentials, exchange, introspect, login, request, revoke, type Chain } from './requests.js';
import type { ContractServer } from './server.js';

const DOCUMENTS = ['/.well-known/openid-configuration', '/protocol/openid-connect/certs', ''];

async function withSettings<T>(
  { administrator }: ContractServer,
  [during, afterwards]: readonly [object, object],
  use: () => Promise<T>,
): Promise<T> {
  await administrator.change('PUT', '', during);
  try {
    return await use();
  } finally {
    await administrator.change('PUT', '', afterwards);
  }
}

const documents = (server: ContractServer): Promise<unknown> =>
  Promise.all(
    DOCUMENTS.map(async (path) => {
      const reply = await request(server, path);
      return reply.status === 200 ? 200 : answer(server, reply);
    }),
  );

async function userinfo(server: ContractServer, { atA }: Chain): Promise<number> {
  const headers = { authorization: `Bearer ${atA}` };
  return (await request(server, '/protocol/openid-connect/userinfo', { headers })).status;
}

const endpoints = (server: ContractServer, chain: Chain): Promise<unknown> =>
  Promise.all([
    clientCredentials(server, 'service-a', 'orders.approve'),
    clientCredentials(server, 'service-a:not-the-secret'),
    login(server, 'alice'),
    exchange(server, 'service-a', chain.atA, { scope: 'orders.approve', audience: 'service-b' }),
    introspect(server, 'service-a', chain.atA),
    introspect(server, 'service-a:not-the-secret', chain.atA),
    revoke(server, 'service-a', chain.atB),
  ]).then((replies) => replies.map((reply) => answer(server, reply)));

const CASES = [
  {
    about: 'that demands https from everywhere, over http',
    settings: [{ sslRequired: 'all' }, { sslRequired: 'external' }],
    refusal: refused(403, 'invalid_request', 'HTTPS required'),
    refusesDocuments: true,
  },
  {
    about: 'that is disabled',
    settings: [{ enabled: false }, { enabled: true }],
    refusal: refused(403, 'access_denied', 'Realm not enabled'),
    refusesDocuments: false,
  },
] as const;

export const REALM_STATE_CASES: readonly ContractCase[] = CASES.flatMap(
  ({ about, settings, refusal, refusesDocuments }) => [
    {
      title: `${about}: the token, introspection and revocation endpoints refuse even correct credentials`,
      async ask(server: ContractServer) {
        const own = await server.ownRealm();
        const chain = await chainOf(own, 'alice');
        const during = await withSettings(own, settings, () => endpoints(own, chain));
        return [during, (await clientCredentials(own, 'service-a', 'orders.approve')).status];
      },
      answer: [Array.from({ length: 7 }, () => refusal), 200],
    },
    {
      title: `${about}: the status of the discovery document, keys, realm page, userinfo and admin REST API`,
      async ask(server: ContractServer) {
        const own = await server.ownRealm();
        const chain = await chainOf(own, 'alice');
        return withSettings(own, settings, async () => [
          await documents(own),
          await userinfo(own, chain),
          await own.administrator.statusOf('GET', ''),
        ]);
      },
      answer: [refusesDocuments ? [refusal, refusal, 200] : [200, 200, 200], 200, 200],
    },
    {
      title: `${about}: a browser gets an error page`,
      async ask(server: ContractServer) {
        const own = await server.ownRealm();
        const client = await own.newClient('web');
        return withSettings(own, settings, async () =>
          page(await new LoginBrowser(own).authorize(client), refusal.error_description),
        );
      },
      answer: ERROR_PAGE,
    },
  ],
);
