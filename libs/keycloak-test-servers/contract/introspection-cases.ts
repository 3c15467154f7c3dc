import { answer, isActive } from './observations.js';
import {
  active,
  ALICE,
  BAD_CLIENT,
  idTokenClaims,
  INACTIVE,
  invalidRequest,
  refused,
  serviceAccount,
  type ContractCase,
} from './expectations.js';
import { chainOf, clientCredentials, exchange, introspect, login, post, textOf, type Reply } from './requests.js';
import { claimsOf } from './demo-realm.js';
import { callerOf, type ContractServer } from './server.js';

const WRONG_SECRET = refused(401, 'invalid_client', 'Client authentication failed.');
const MANAGER = { roles: ['order-manager'] } as const;
const ACTIVE_A = active({
  ...MANAGER,
  of: serviceAccount('service-a'),
  to: 'service-a',
  aud: 'service-b',
  scope: ['orders.approve'],
  kind: 'trrtcc',
});

const tokenForB = async (server: ContractServer): Promise<string> =>
  textOf(await clientCredentials(server, 'service-a', 'orders.approve'));

/** A decoder ignores four bits of the last character of the signature. */
function otherSpellings(token: string): Readonly<Record<string, string>> {
  const [header = '', payload = '', signature = ''] = token.split('.');
  const last = signature.charCodeAt(signature.length - 1);
  return {
    'a dot': `${token}.`,
    'many dots': token + '.'.repeat(50),
    padding: `${token}=`,
    'much padding': token + '='.repeat(50),
    'padding and a dot': `${token}=.`,
    bits: token.slice(0, -1) + String.fromCharCode(last + 1),
    alphabet: `${header}.${payload}.${signature.replaceAll('-', '+').replaceAll('_', '/')}`,
    'a dot and padding': `${token}.=`,
    'a fourth part': `${token}.AA`,
    'a dot in front': `.${token}`,
    'padding in front': `${header}.${payload}.=${signature}`,
    'padding of the header': `${header}=.${payload}.${signature}`,
    'padding of the payload': `${header}.${payload}=.${signature}`,
    'a blank': `${token} `,
    'a line feed': `${token}\n`,
  };
}

export const INTROSPECTION_CASES: readonly ContractCase[] = [
  {
    title: "of service-a's token, by service-b",
    ask: async (server) => answer(server, await introspect(server, 'service-b', await tokenForB(server))),
    answer: ACTIVE_A,
  },
  {
    title: "of the warehouse's token, by service-b",
    ask: async (server) =>
      answer(
        server,
        await introspect(server, 'service-b', textOf(await clientCredentials(server, 'warehouse', 'inventory.adjust'))),
      ),
    answer: active({
      ...MANAGER,
      of: serviceAccount('warehouse'),
      to: 'warehouse',
      aud: 'service-b',
      scope: ['inventory.adjust'],
      kind: 'trrtcc',
    }),
  },
  {
    title: "of alice's token, by service-a",
    ask: async (server) => answer(server, await introspect(server, 'service-a', textOf(await login(server, 'alice')))),
    answer: active({
      ...MANAGER,
      of: ALICE,
      to: 'demo-cli',
      aud: 'service-a',
      scope: ['openid', 'orders.read'],
      kind: 'onrtro',
    }),
  },
  {
    title: 'of exchanged tokens, by service-b and service-c',
    async ask(server) {
      const { atB, atC } = await chainOf(server, 'alice');
      return [
        answer(server, await introspect(server, 'service-b', atB)),
        answer(server, await introspect(server, 'service-c', atC)),
      ];
    },
    answer: [
      active({
        ...MANAGER,
        of: ALICE,
        to: 'service-a',
        aud: 'service-b',
        scope: ['orders.approve'],
        kind: 'ntrtte',
      }),
      active({
        ...MANAGER,
        of: ALICE,
        to: 'service-b',
        aud: 'service-c',
        scope: ['analytics.run'],
        seconds: 60,
        kind: 'ntrtte',
      }),
    ],
  },
  {
    title: 'of a token that was exchanged for one of two audiences: has both audiences',
    async ask(server) {
      const subject = textOf(await login(server, 'alice'));
      const form = { scope: 'orders.read orders.approve', audience: 'service-b' };
      const token = textOf(await exchange(server, 'service-a', subject, form));
      return [claimsOf(token)['aud'], answer(server, await introspect(server, 'service-b', token))['aud']];
    },
    answer: ['service-b', ['service-a', 'service-b']],
  },
  {
    title: 'of a token with two audiences, by both services',
    async ask(server) {
      const both = textOf(await clientCredentials(server, 'service-a', 'orders.read orders.approve'));
      const replies = [await introspect(server, 'service-a', both), await introspect(server, 'service-b', both)];
      return replies.map(({ members }) => members['active']);
    },
    answer: [true, true],
  },
  {
    title: "of a service account's token that contains the client's address: omits the address",
    async ask(server) {
      const client = await server.newClient('service');
      const caller = callerOf(client);
      const subject = textOf(await clientCredentials(server, caller, 'orders.approve'));
      const seen = answer(server, await introspect(server, 'service-b', subject));
      return { issued: 'clientHost' in claimsOf(subject), seen };
    },
    answer: {
      issued: true,
      seen: active({
        ...MANAGER,
        of: serviceAccount('client-<uuid>'),
        to: 'client-<uuid>',
        aud: 'service-b',
        scope: ['orders.approve'],
        kind: 'trrtcc',
      }),
    },
  },
  {
    title: 'of the token of a user who has lost the role: scope and audience stay, and the role is missing',
    async ask(server) {
      const username = await server.newUser('order-manager');
      const { atA, atB } = await chainOf(server, username);
      await server.takeRole(username, 'order-manager');
      const seen = answer(server, await introspect(server, 'service-b', atB));
      const next = await exchange(server, 'service-a', atA, { scope: 'orders.approve', audience: 'service-b' });
      const { active: still, scope, aud, realm_access } = seen;
      return { still, scope, aud, realm_access, next: answer(server, next) };
    },
    answer: {
      still: true,
      scope: ['email', 'orders.approve', 'profile'],
      aud: 'service-b',
      realm_access: undefined,
      next: invalidRequest('Requested audience not available: service-b'),
    },
  },
  {
    title: 'by the client that requested or exchanged the token: it is not in the audience',
    async ask(server) {
      const { atB } = await chainOf(server, 'alice');
      return [
        answer(server, await introspect(server, 'service-a', await tokenForB(server))),
        answer(server, await introspect(server, 'service-a', atB)),
      ];
    },
    answer: [INACTIVE, INACTIVE],
  },
  {
    title: 'by another client',
    ask: async (server) => answer(server, await introspect(server, 'service-c', await tokenForB(server))),
    answer: INACTIVE,
  },
  {
    title: 'of a token without audience',
    ask: async (server) =>
      answer(server, await introspect(server, 'service-a', textOf(await clientCredentials(server, 'service-a')))),
    answer: INACTIVE,
  },
  ...['', 'junk', 'a.b.c', 'x'.repeat(9000)].map((text): ContractCase => ({
    title: `of "${text.slice(0, 9)}", ${text.length} characters`,
    ask: async (server) => answer(server, await introspect(server, 'service-b', text)),
    answer: INACTIVE,
  })),
  {
    title: 'of a token with another signature',
    async ask(server) {
      const [other, token] = [await tokenForB(server), await tokenForB(server)].map((jwt) => jwt.split('.'));
      return answer(server, await introspect(server, 'service-b', [token?.[0], token?.[1], other?.[2]].join('.')));
    },
    answer: INACTIVE,
  },
  {
    title: 'of one token in other encodings',
    async ask(server) {
      const spellings = Object.entries(otherSpellings(await tokenForB(server)));
      const answers = await Promise.all(spellings.map(([, spelling]) => introspect(server, 'service-b', spelling)));
      return spellings.filter((_, at) => isActive(answers[at] as Reply) === true).map(([name]) => name);
    },
    answer: ['a dot', 'many dots', 'padding', 'much padding', 'padding and a dot', 'bits', 'alphabet'],
  },
  {
    title: 'of an unsigned token',
    async ask(server) {
      const header = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
      const unsigned = `${header}.${(await tokenForB(server)).split('.')[1]}.`;
      return answer(server, await introspect(server, 'service-b', unsigned));
    },
    answer: INACTIVE,
  },
  {
    title: 'of a bare jti',
    ask: async (server) =>
      answer(server, await introspect(server, 'service-b', String(claimsOf(await tokenForB(server))['jti']))),
    answer: INACTIVE,
  },
  ...(['id_token', 'refresh_token'] as const).map((name): ContractCase => ({
    title: `of the ${name}, by a client in the audience of the access token`,
    ask: async (server) =>
      answer(server, await introspect(server, 'service-a', textOf(await login(server, 'alice'), name))),
    answer: INACTIVE,
  })),
  {
    title: 'of an ID token, by the client of the token: the token is active, and the answer has the type',
    async ask(server) {
      const reply = await clientCredentials(server, 'service-a', 'openid orders.read');
      return answer(server, await introspect(server, 'service-a', textOf(reply, 'id_token')));
    },
    answer: {
      status: 200,
      ...idTokenClaims({ of: serviceAccount('service-a'), to: 'service-a' }),
      client_id: 'service-a',
      username: 'service-account-service-a',
      token_type: 'ID',
      active: true,
    },
  },
  {
    title: 'of a token that lives one second: the token is active until the second of exp has ended',
    async ask(server) {
      for (let tries = 1; ; tries++) {
        const text = textOf(await clientCredentials(server, 'short-lived', 'attacks.run'));
        const { exp, iat } = claimsOf(text);
        const stateAt = async (epochSeconds: number): Promise<unknown> => {
          await new Promise((resolve) => setTimeout(resolve, epochSeconds * 1000 - Date.now()));
          return isActive(await introspect(server, 'service-a', text));
        };
        const during = await stateAt(Number(exp) + 0.3);
        // On a busy machine, this answer can come after the second of `exp`, and says nothing then.
        if (Date.now() >= (Number(exp) + 1) * 1000 && tries < 20) continue;
        return [Number(exp) - Number(iat), during, await stateAt(Number(exp) + 1.1)];
      }
    },
    answer: [1, true, false],
  },
  {
    title: 'with the correct hint',
    ask: async (server) =>
      answer(
        server,
        await introspect(server, 'service-b', await tokenForB(server), { token_type_hint: 'access_token' }),
      ),
    answer: ACTIVE_A,
  },
  {
    title: 'with the hint of another kind of token: inactive',
    ask: async (server) =>
      answer(
        server,
        await introspect(server, 'service-b', await tokenForB(server), { token_type_hint: 'refresh_token' }),
      ),
    answer: INACTIVE,
  },
  {
    title: 'with an unknown hint',
    ask: async (server) =>
      answer(server, await introspect(server, 'service-b', await tokenForB(server), { token_type_hint: 'zzz' })),
    answer: invalidRequest('Unsupported token type.'),
  },
  {
    title: 'without token',
    ask: async (server) => answer(server, await post(server, '/token/introspect', {}, 'service-b')),
    answer: invalidRequest('Token not provided.'),
  },
  {
    title: 'with a duplicate token',
    ask: async (server) =>
      answer(
        server,
        await post(
          server,
          '/token/introspect',
          [
            ['token', 'a'],
            ['token', 'a'],
          ],
          'service-b',
        ),
      ),
    answer: invalidRequest('duplicated parameter'),
  },
  {
    title: 'with the secret in the form',
    ask: async (server) =>
      answer(
        server,
        await introspect(server, undefined, await tokenForB(server), {
          client_id: 'service-b',
          client_secret: 'b-secret',
        }),
      ),
    answer: ACTIVE_A,
  },
  {
    title: 'with a wrong secret',
    ask: async (server) => answer(server, await introspect(server, 'service-b:wrong', 'junk')),
    answer: WRONG_SECRET,
  },
  {
    title: 'without token, with a wrong secret: reports the secret first',
    ask: async (server) => answer(server, await post(server, '/token/introspect', {}, 'service-b:wrong')),
    answer: WRONG_SECRET,
  },
  {
    title: 'by an unknown client',
    ask: async (server) => answer(server, await introspect(server, 'nobody:wrong', 'junk')),
    answer: BAD_CLIENT,
  },
  {
    title: 'without client authentication',
    ask: async (server) => answer(server, await introspect(server, undefined, 'junk')),
    answer: BAD_CLIENT,
  },
  {
    title: 'by a public client',
    ask: async (server) => answer(server, await introspect(server, undefined, 'junk', { client_id: 'demo-cli' })),
    answer: refused(403, 'invalid_request', 'Client not allowed.'),
  },
  {
    title: 'is answered with JSON that must not be cached',
    async ask(server) {
      const { headers } = await introspect(server, 'service-b', 'junk');
      return [headers.get('content-type'), headers.get('cache-control')];
    },
    answer: ['application/json', 'no-cache'],
  },
];
