import { answer, claims, tokenAnswer } from './observations.js';
import {
  ALICE,
  BAD_SECRET,
  BOB,
  exchanged,
  idTokenClaims,
  INVALID_TOKEN,
  invalidRequest,
  refused,
  serviceAccount,
  withHash,
  type ContractCase,
} from './expectations.js';
import {
  ACCESS_TOKEN,
  chainOf,
  clientCredentials,
  EXCHANGE,
  exchange,
  exchangeForB,
  login,
  textOf,
  token,
  type Caller,
  type Form,
} from './requests.js';
import { claimsOf } from './demo-realm.js';
import type { ContractServer } from './server.js';

const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token';
const FOR_B = { scope: 'orders.approve', audience: 'service-b' } as const;
const FOR_C = { scope: 'analytics.run', audience: 'service-c' } as const;
const TO_A = { of: ALICE, to: 'service-a', aud: 'service-b', roles: ['order-manager'] } as const;
const NOT_FOR_CLIENT = refused(403, 'access_denied', 'Client is not within the token audience');
const NOT_ENABLED = invalidRequest('Standard token exchange is not enabled for the requested client');
const NO_AUDIENCE = refused(400, 'invalid_client', 'Audience not found');

const alice = async (server: ContractServer): Promise<string> => textOf(await login(server, 'alice'));
const serviceA = async (server: ContractServer): Promise<string> =>
  textOf(await clientCredentials(server, 'service-a', 'orders.approve'));

type Ask = ContractCase['ask'];
type Exchange = (client: Caller, subject: (server: ContractServer) => Promise<string>, more?: Form) => Ask;

const exchangeOf: Exchange = (client, subject, more) => async (server) =>
  tokenAnswer(server, await exchange(server, client, await subject(server), more));
const answerTo: Exchange = (client, subject, more) => async (server) =>
  answer(server, await exchange(server, client, await subject(server), more));

export const EXCHANGE_CASES: readonly ContractCase[] = [
  {
    title: "of alice's token, by service-a for service-b",
    ask: exchangeOf('service-a', alice, FOR_B),
    answer: exchanged({ ...TO_A, scope: ['orders.approve'] }),
  },
  {
    title: 'of a token that service-a has exchanged, by service-b for service-c',
    ask: async (server) =>
      tokenAnswer(server, await exchange(server, 'service-b', await exchangeForB(server, await alice(server)), FOR_C)),
    answer: exchanged({ ...TO_A, to: 'service-b', aud: 'service-c', scope: ['analytics.run'], seconds: 60 }),
  },
  {
    title: 'keeps the subject, the session and the identity claims in a chain of exchanges',
    async ask(server) {
      const { atA, atB, atC } = await chainOf(server, 'alice');
      const distinct = ['sub', 'sid', 'email', 'preferred_username', 'jti'].map((name) => [
        name,
        new Set([atA, atB, atC].map((jwt) => claimsOf(jwt)[name])).size,
      ]);
      return Object.fromEntries(distinct) as unknown;
    },
    answer: { sub: 1, sid: 1, email: 1, preferred_username: 1, jti: 3 },
  },
  {
    title: "of service-a's own token, by service-b for service-c: keeps the subject",
    async ask(server) {
      const subject = await serviceA(server);
      const reply = await exchange(server, 'service-b', subject, FOR_C);
      return { ...tokenAnswer(server, reply), sameSubject: claims(reply)['sub'] === claimsOf(subject)['sub'] };
    },
    answer: exchanged(
      {
        of: serviceAccount('service-a'),
        to: 'service-b',
        aud: 'service-c',
        roles: ['order-manager'],
        scope: ['analytics.run'],
        seconds: 60,
      },
      { sameSubject: true },
    ),
  },
  {
    title: 'with an audience that no scope adds',
    ask: answerTo('service-b', serviceA, { audience: 'service-c' }),
    answer: invalidRequest('Requested audience not available: service-c'),
  },
  {
    title: 'with the client as the audience, which no scope adds',
    ask: answerTo('service-a', alice, { audience: 'service-a' }),
    answer: invalidRequest('Requested audience not available: service-a'),
  },
  {
    title: 'with two audiences, one of which is unavailable: the error names the unavailable audience',
    ask: answerTo('service-a', alice, [
      ['scope', 'orders.approve'],
      ['audience', 'service-c'],
      ['audience', 'service-b'],
    ]),
    answer: invalidRequest('Requested audience not available: service-c'),
  },
  {
    title: 'with an audience of another scope',
    ask: answerTo('service-a', alice, { ...FOR_B, audience: 'service-c' }),
    answer: invalidRequest('Requested audience not available: service-c'),
  },
  {
    title: 'for a user who lacks the role: omits scope and audience',
    ask: async (server) =>
      answer(server, await exchange(server, 'service-a', textOf(await login(server, 'bob')), FOR_B)),
    answer: invalidRequest('Requested audience not available: service-b'),
  },
  {
    title: 'for a user who lacks the role, without audience: a token without audience',
    ask: async (server) =>
      tokenAnswer(
        server,
        await exchange(server, 'service-a', textOf(await login(server, 'bob')), { scope: 'orders.approve' }),
      ),
    answer: exchanged({ of: BOB, to: 'service-a' }),
  },
  {
    title: 'without scope and audience: a token without audience',
    ask: exchangeOf('service-b', serviceA),
    answer: exchanged({ of: serviceAccount('service-a'), to: 'service-b', seconds: 60 }),
  },
  {
    title: 'without audience: all audiences of the scopes',
    ask: exchangeOf('service-a', alice, { scope: 'orders.read orders.approve' }),
    answer: exchanged({ ...TO_A, aud: ['service-a', 'service-b'], scope: ['orders.read', 'orders.approve'] }),
  },
  {
    title: 'with one of two audiences: both scopes stay',
    ask: exchangeOf('service-a', alice, { ...FOR_B, scope: 'orders.read orders.approve' }),
    answer: exchanged({ ...TO_A, scope: ['orders.read', 'orders.approve'] }),
  },
  {
    title: 'with two audiences',
    ask: exchangeOf('service-a', alice, [
      ['scope', 'orders.read orders.approve'],
      ['audience', 'service-a'],
      ['audience', 'service-b'],
    ]),
    answer: exchanged({ ...TO_A, aud: ['service-a', 'service-b'], scope: ['orders.read', 'orders.approve'] }),
  },
  {
    title: 'with two unavailable audiences: the error names both audiences',
    ask: answerTo('service-a', alice, [
      ['scope', 'orders.approve'],
      ['audience', 'service-c'],
      ['audience', 'demo-cli'],
    ]),
    answer: invalidRequest('Requested audience not available: service-c, demo-cli'),
  },
  {
    title: 'with a duplicate audience',
    ask: exchangeOf('service-a', alice, [
      ['scope', 'orders.approve'],
      ['audience', 'service-b'],
      ['audience', 'service-b'],
    ]),
    answer: exchanged({ ...TO_A, scope: ['orders.approve'] }),
  },
  ...['no-such', ''].map((audience): ContractCase => ({
    title: `with the unknown audience "${audience}"`,
    ask: answerTo('service-a', alice, { ...FOR_B, audience }),
    answer: NO_AUDIENCE,
  })),
  ...['analytics.run', 'no.such', ''].map((scope): ContractCase => ({
    title: `with the scope "${scope}", which the client does not have`,
    ask: answerTo('service-a', alice, { scope }),
    answer: refused(400, 'invalid_scope', `Invalid scopes: ${scope}`),
  })),
  {
    title: 'with a duplicate scope parameter',
    ask: answerTo('service-a', alice, [
      ['scope', 'orders.approve'],
      ['scope', 'orders.approve'],
    ]),
    answer: invalidRequest('duplicated parameter'),
  },
  {
    title: 'with openid: adds an ID token',
    ask: exchangeOf('service-a', alice, { ...FOR_B, scope: 'openid orders.approve' }),
    answer: exchanged({ ...TO_A, scope: ['openid', 'orders.approve'] }, { idToken: withHash(TO_A) }),
  },
  {
    title: 'of a token for another client',
    ask: answerTo('service-b', alice, FOR_C),
    answer: NOT_FOR_CLIENT,
  },
  {
    title: 'of a token for another client, with an unknown audience: reports the audience first',
    ask: answerTo('service-b', alice, { audience: 'no-such' }),
    answer: NO_AUDIENCE,
  },
  {
    title: 'of a token for another client, with an unknown scope: reports the client first',
    ask: answerTo('service-b', alice, { scope: 'no.such' }),
    answer: NOT_FOR_CLIENT,
  },
  {
    title: 'of a token that was issued to the client: the client need not be in the audience',
    ask: async (server) =>
      tokenAnswer(server, await exchange(server, 'service-a', await exchangeForB(server, await alice(server)), FOR_B)),
    answer: exchanged({ ...TO_A, scope: ['orders.approve'] }),
  },
  ...['', 'junk', 'a.b.c'].map((subject): ContractCase => ({
    title: `of "${subject}"`,
    ask: async (server) => answer(server, await exchange(server, 'service-a', subject, FOR_B)),
    answer: INVALID_TOKEN,
  })),
  {
    title: 'of a token with another signature',
    async ask(server) {
      const [other, subject] = [await alice(server), await alice(server)].map((jwt) => jwt.split('.'));
      const forged = [subject?.[0], subject?.[1], other?.[2]].join('.');
      return answer(server, await exchange(server, 'service-a', forged, FOR_B));
    },
    answer: INVALID_TOKEN,
  },
  {
    title: 'of an unsigned token',
    async ask(server) {
      const header = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
      const unsigned = `${header}.${(await alice(server)).split('.')[1]}.`;
      return answer(server, await exchange(server, 'service-a', unsigned, FOR_B));
    },
    answer: INVALID_TOKEN,
  },
  {
    title: 'of a token that has expired',
    async ask(server) {
      const expired = textOf(await clientCredentials(server, 'short-lived', 'attacks.run'));
      await new Promise((resolve) => setTimeout(resolve, Number(claimsOf(expired)['exp']) * 1000 + 1100 - Date.now()));
      return answer(server, await exchange(server, 'service-a', expired));
    },
    answer: INVALID_TOKEN,
  },
  ...(['id_token', 'refresh_token'] as const).map((name): ContractCase => ({
    title: `of the ${name}, declared as an access token`,
    ask: async (server) =>
      answer(server, await exchange(server, 'service-a', textOf(await login(server, 'alice'), name), FOR_B)),
    answer: INVALID_TOKEN,
  })),
  ...(['subject_token', 'subject_token_type'] as const).map((name): ContractCase => ({
    title: `without ${name}`,
    async ask(server) {
      const { [name]: _, ...form } = { subject_token: await alice(server), subject_token_type: ACCESS_TOKEN };
      return answer(server, await token(server, { grant_type: EXCHANGE, ...form }, 'service-a'));
    },
    answer: invalidRequest(`Parameter '${name}' required for standard token exchange`),
  })),
  ...['urn:ietf:params:oauth:token-type:jwt', ID_TOKEN, 'junk'].map((subject_token_type): ContractCase => ({
    title: `of a subject_token_type ${subject_token_type}`,
    async ask(server) {
      const form = { grant_type: EXCHANGE, subject_token: await alice(server), subject_token_type };
      return answer(server, await token(server, form, 'service-a'));
    },
    answer: invalidRequest("Parameter 'subject_token' supports access tokens only"),
  })),
  ...['refresh_token', 'jwt'].map((type): ContractCase => ({
    title: `for a requested_token_type ${type}`,
    async ask(server) {
      const requested_token_type = `urn:ietf:params:oauth:token-type:${type}`;
      return answer(server, await exchange(server, 'service-a', await alice(server), { requested_token_type }));
    },
    answer: invalidRequest('requested_token_type unsupported'),
  })),
  {
    title: 'for an ID token',
    ask: exchangeOf('service-a', alice, { requested_token_type: ID_TOKEN }),
    answer: {
      ...exchanged({ of: ALICE, to: 'service-a' }),
      token_type: 'N_A',
      issued_token_type: ID_TOKEN,
      accessToken: {
        header: { alg: 'RS256', typ: 'JWT', kid: '<string>' },
        claims: idTokenClaims({ of: ALICE, to: 'service-a' }),
      },
    },
  },
  {
    title: 'with actor_token and resource, which are ignored',
    async ask(server) {
      const subject = await alice(server);
      const more = { ...FOR_B, actor_token: subject, actor_token_type: ACCESS_TOKEN, resource: 'https://b.test/' };
      return tokenAnswer(server, await exchange(server, 'service-a', subject, more));
    },
    answer: exchanged({ ...TO_A, scope: ['orders.approve'] }),
  },
  ...(['service-c', 'warehouse'] as const).map((caller): ContractCase => ({
    title: `by ${caller}, which is not allowed to exchange tokens: reports this first, even for a junk token`,
    ask: async (server) => answer(server, await exchange(server, caller, 'junk', FOR_C)),
    answer: NOT_ENABLED,
  })),
  {
    title: 'by a public client, which is not allowed to exchange tokens',
    ask: async (server) =>
      answer(server, await exchange(server, undefined, await alice(server), { client_id: 'demo-cli' })),
    answer: NOT_ENABLED,
  },
  {
    title: 'with a wrong secret',
    ask: async (server) => answer(server, await exchange(server, 'service-a:wrong', 'junk', FOR_B)),
    answer: BAD_SECRET,
  },
];
