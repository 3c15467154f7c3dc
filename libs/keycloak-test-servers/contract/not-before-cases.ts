import { INVALID_TOKEN, LOGIN_PAGE, refused, type ContractCase } from './expectations.js';
import { codeOf, LoginBrowser, VERIFIER } from './login-browser.js';
import { answer, askAdministrator, page } from './observations.js';
import { exchange, login, request, token } from './requests.js';
import { callerOf, CALLBACK, type ContractServer } from './server.js';
import { after, nextSecond, pathOf, refreshed, states, tokensOf, type Tokens } from './token-sets.js';

const PUSHED = { status: 200, json: {} };
const REFRESHED = 200;
const STALE = refused(400, 'invalid_grant', 'Stale token');

const userinfo = async (server: ContractServer, { atA }: Tokens): Promise<unknown> => {
  const headers = { authorization: `Bearer ${atA}` };
  const { status, headers: given } = await request(server, '/protocol/openid-connect/userinfo', { headers });
  return [status, given.get('www-authenticate')?.replace(/realm="[^"]*"/, 'realm="<realm>"')];
};

async function withNotBefore<T>(
  { administrator }: ContractServer,
  path: string,
  notBefore: number,
  use: () => Promise<T>,
): Promise<T> {
  await administrator.change('PUT', path, { notBefore });
  try {
    return await use();
  } finally {
    await administrator.change('PUT', path, { notBefore: 0 });
  }
}

const REALM = '';

const policyOf = async (server: ContractServer, username: string): Promise<unknown> =>
  (await login(server, username)).members['not-before-policy'];

export const NOT_BEFORE_CASES: readonly ContractCase[] = [
  {
    title: 'notBefore of the realm: all earlier tokens are invalid at every endpoint, and sessions stay valid',
    async ask(server) {
      const own = await server.ownRealm();
      const tokens = await tokensOf(own);
      const during = await withNotBefore(own, REALM, after(tokens), async () => [
        await states(own, tokens),
        answer(own, await exchange(own, 'service-a', tokens.atA)),
        await refreshed(own, tokens),
        await userinfo(own, tokens),
      ]);
      return [during, await states(own, tokens), await refreshed(own, tokens)];
    },
    answer: [
      [
        [false, false, false, false],
        INVALID_TOKEN,
        STALE,
        [401, 'Bearer realm="<realm>", error="invalid_token", error_description="Token verification failed"'],
      ],
      [true, true, true, true],
      REFRESHED,
    ],
  },
  {
    title:
      'notBefore of the realm: later tokens are valid, and token answers and the page of the realm contain notBefore',
    async ask(server) {
      const own = await server.ownRealm();
      const notBefore = after(await tokensOf(own));
      await nextSecond();
      return withNotBefore(own, REALM, notBefore, async () => {
        const later = await tokensOf(own);
        const { 'tokens-not-before': shown } = (await request(own, '')).members;
        return [
          await states(own, later),
          await refreshed(own, later),
          later.login.members['not-before-policy'] === notBefore,
          shown === notBefore,
        ];
      });
    },
    answer: [[true, true, true, true], REFRESHED, true, true],
  },
  {
    title: 'notBefore of the realm: a browser must log in again, but an earlier code is still valid',
    async ask(server) {
      const own = await server.ownRealm();
      const [username, client] = [await own.newUser('order-manager'), await own.newClient('web')];
      const browser = new LoginBrowser(own);
      const code = codeOf(await browser.login(client, username));
      const notBefore = after(await tokensOf(own));
      await nextSecond();
      return withNotBefore(own, REALM, notBefore, async () => {
        const form = { grant_type: 'authorization_code', code, redirect_uri: CALLBACK, code_verifier: VERIFIER };
        const redeemed = await token(own, form, callerOf(client));
        const again = page(await browser.authorize(client), '');
        const other = await token(
          own,
          { ...form, code: codeOf(await browser.login(client, username)) },
          callerOf(client),
        );
        return [redeemed.status, again, other.members['session_state'] === redeemed.members['session_state']];
      });
    },
    answer: [200, LOGIN_PAGE, false],
  },
  {
    title: "notBefore of the login client: the client's token is invalid, and tokens of other clients stay valid",
    async ask(server) {
      const own = await server.ownRealm();
      const tokens = await tokensOf(own);
      return withNotBefore(own, await pathOf(own, 'demo-cli'), after(tokens), async () => [
        await states(own, tokens),
        answer(own, await exchange(own, 'service-a', tokens.atA)),
        await refreshed(own, tokens),
      ]);
    },
    answer: [[false, true, true, true], INVALID_TOKEN, STALE],
  },
  {
    title: 'notBefore of a service: all tokens of the service are invalid, and tokens of other clients stay valid',
    async ask(server) {
      const own = await server.ownRealm();
      const tokens = await tokensOf(own);
      return withNotBefore(own, await pathOf(own, 'service-a'), after(tokens), async () => [
        await states(own, tokens),
        await refreshed(own, tokens),
      ]);
    },
    answer: [[true, false, true, false], REFRESHED],
  },
  {
    title: 'notBefore: the latest value of realm, client and user applies, and token answers contain this value',
    async ask(server) {
      const own = await server.ownRealm();
      const username = await own.newUser('order-manager');
      const path = await pathOf(own, 'demo-cli');
      const read = async (of: string) => (await own.administrator.read<{ notBefore: number }>(of)).notBefore;
      const before = [await read(REALM), await read(path), await policyOf(own, username)];
      const during = await withNotBefore(own, path, 5, async () => [
        await read(path),
        await withNotBefore(own, REALM, 9, () => policyOf(own, username)),
        await withNotBefore(own, REALM, 3, () => policyOf(own, username)),
      ]);
      await own.logOutUser(username);
      const ofUser = await read(`/users/${await own.subjectOf(username)}`);
      return [before, during, (await policyOf(own, username)) === ofUser, ofUser > 9];
    },
    answer: [[0, 0, 0], [5, 9, 5], true, true],
  },
  {
    title: 'a push of notBefore is answered with an empty list of notified clients',
    async ask(server) {
      const own = await server.ownRealm();
      return [
        await askAdministrator(own, 'POST', '/push-revocation'),
        await askAdministrator(own, 'POST', `${await pathOf(own, 'demo-cli')}/push-revocation`),
        await askAdministrator(own, 'POST', '/clients/no-such/push-revocation'),
      ];
    },
    answer: [PUSHED, PUSHED, { status: 404, json: { error: 'Could not find client' } }],
  },
  {
    title: 'the end of all sessions: all earlier tokens are invalid, even tokens that belong to no session',
    async ask(server) {
      const own = await server.ownRealm();
      const [tokens, others] = [await tokensOf(own), await tokensOf(own)];
      await nextSecond();
      const ended = await askAdministrator(own, 'POST', '/logout-all');
      const { notBefore } = await own.administrator.read<{ notBefore: number }>('');
      const seen = [await states(own, tokens), await states(own, others), await refreshed(own, tokens)];
      const later = await states(own, await tokensOf(own));
      await own.administrator.change('PUT', REALM, { notBefore: 0 });
      return [ended, notBefore >= after(others), seen, later, await states(own, tokens)];
    },
    answer: [
      PUSHED,
      true,
      [[false, false, false, false], [false, false, false, false], STALE],
      [true, true, true, true],
      [false, false, false, true],
    ],
  },
];
