/** RFC 9470 §4, OpenID Connect Core §3.1.2.1, §5.5.1.1. */
import { setTimeout as sleep } from 'node:timers/promises';
import { redeem, refreshAt } from './code-cases.js';
import { claimsOf } from './demo-realm.js';
import { ERROR_PAGE, LOGIN_PAGE, type ContractCase } from './expectations.js';
import type { Page } from './browser.js';
import { callbackParameters, codeOf, LoginBrowser, type Parameters } from './login-browser.js';
import { page } from './observations.js';
import { exchange, exchangeForB, exchangeForC, login, textOf, type Reply } from './requests.js';
import { SeenLogins } from './seen-logins.js';
import { callerOf, type ContractServer } from './server.js';

const NAME_FORM = 'Sign in to your account';
const PASSWORD_FORM = 'Sign In';
const FOR_B = { scope: 'orders.approve', audience: 'service-b' } as const;

const ALICES = { password: 'alice' };

class Visit {
  readonly seen = new SeenLogins();

  private constructor(
    readonly server: ContractServer,
    readonly client: string,
    readonly browser: LoginBrowser,
  ) {}

  static async begin(server: ContractServer): Promise<Visit> {
    const visit = new Visit(server, await server.newClient('web'), new LoginBrowser(server));
    visit.seen.inIdToken(await visit.redeem(await visit.browser.login(visit.client, 'alice')));
    // The pause ensures that the next login has a later `auth_time`.
    await sleep(1100);
    return visit;
  }

  ask(changes: Parameters = {}): Promise<Page> {
    return this.browser.authorize(this.client, changes);
  }

  redeem(reply: Reply, client = this.client): Promise<Reply> {
    return redeem(this.server, client, codeOf(reply));
  }

  async stepUp(): Promise<Reply> {
    return this.redeem(await this.browser.submit(await this.ask({ acr_values: '2' }), ALICES));
  }

  async again(changes: Parameters = {}): Promise<Reply> {
    return this.redeem(await this.ask({ ...changes, prompt: 'none' }));
  }

  exchange(reply: Reply): Promise<Reply> {
    return exchange(this.server, callerOf(this.client), textOf(reply), FOR_B);
  }
}

async function through(browser: LoginBrowser, first: Page): Promise<{ forms: readonly string[]; end: Page }> {
  const forms: string[] = [];
  let end = first;
  while (end.text.includes('id="kc-form-login"') && forms.length < 2) {
    forms.push(end.text.includes(NAME_FORM) ? NAME_FORM : PASSWORD_FORM);
    end = await browser.submit(end, { username: 'alice', ...ALICES });
  }
  return { forms, end };
}

async function freshly(server: ContractServer, changes: Parameters) {
  const [client, browser] = [await server.newClient('web'), new LoginBrowser(server)];
  const { forms, end } = await through(browser, await browser.authorize(client, changes));
  if (end.status !== 302) return { forms, end: end.status };
  return { forms, acr: claimsOf(textOf(await redeem(server, client, codeOf(end)), 'id_token'))['acr'] };
}

const claimsFor = (acr: object): Parameters => ({ claims: JSON.stringify({ id_token: { acr } }) });
const essential = (...values: string[]): Parameters => claimsFor({ essential: true, values });
const errorOf = (reply: Reply): unknown => callbackParameters(reply)['error'];

export const LEVEL_CASES: readonly ContractCase[] = [
  {
    title: 'an ordinary login by one form reaches level 1, and later single sign-on also has level 1',
    async ask(server) {
      const visit = await Visit.begin(server);
      const token = await visit.again();
      const atA = await visit.seen.byIntrospection(server, textOf(token));
      const other = await server.newClient('web');
      const elsewhere = await visit.redeem(await visit.browser.authorize(other, { prompt: 'none' }), other);
      return [
        await freshly(server, {}),
        visit.seen.inIdToken(token),
        visit.seen.inAccessToken(token),
        atA,
        visit.seen.inIdToken(elsewhere),
      ];
    },
    answer: [{ forms: [NAME_FORM], acr: '1' }, ['1', 0], ['1', 0], ['1', 0], ['1', 0]],
  },
  {
    title: 'a request for level 2 asks only for the password; all tokens then have level 2 and the time of the login',
    async ask(server) {
      const visit = await Visit.begin(server);
      const form = await visit.ask({ acr_values: '2' });
      const wrong = await visit.browser.submit(form, { password: 'wrong' });
      const token = await visit.redeem(await visit.browser.submit(wrong, ALICES));
      const { seen } = visit;
      const refreshed = await refreshAt(server, visit.client, token);
      return [
        [page(form, PASSWORD_FORM), page(form, NAME_FORM).says, page(wrong, 'Invalid password.')],
        [seen.inIdToken(token), seen.inAccessToken(token), await seen.byIntrospection(server, textOf(token))],
        [seen.inIdToken(refreshed), seen.inAccessToken(refreshed)],
      ];
    },
    answer: [
      [LOGIN_PAGE, false, LOGIN_PAGE],
      [
        ['2', 1],
        ['2', 1],
        ['2', 1],
      ],
      [
        ['2', 1],
        ['2', 1],
      ],
    ],
  },
  {
    title: 'level 2 applies to all clients of the session; a client that asks for level 1 gets a token with level 1',
    async ask(server) {
      const visit = await Visit.begin(server);
      await visit.stepUp();
      const other = await server.newClient('web');
      const replies = [
        await visit.again({ acr_values: '2' }),
        await visit.again(),
        await visit.again({ acr_values: '1' }),
      ];
      const elsewhere = await visit.browser.authorize(other, { prompt: 'none', acr_values: '2' });
      replies.push(await visit.redeem(elsewhere, other));
      return replies.map((reply) => visit.seen.inIdToken(reply));
    },
    answer: [
      ['2', 1],
      ['2', 1],
      ['1', 1],
      ['2', 1],
    ],
  },
  {
    title: 'an exchange by the client of the login removes level 2 from all tokens of the client; the time stays',
    async ask(server) {
      const visit = await Visit.begin(server);
      const { seen } = visit;
      const token = await visit.stepUp();
      const before = await seen.byIntrospection(server, textOf(token));
      const exchanged = await visit.exchange(token);
      const after = await seen.byIntrospection(server, textOf(token));
      const refreshed = await refreshAt(server, visit.client, token);
      const once = [seen.inAccessToken(exchanged), await seen.byIntrospection(server, textOf(exchanged), 'service-b')];
      const held = await visit.again({ acr_values: '2' });
      const again = [seen.inAccessToken(held), seen.inAccessToken(await visit.exchange(held))];
      return {
        before,
        itself: seen.inAccessToken(token),
        after,
        refreshed: seen.inAccessToken(refreshed),
        once,
        again,
      };
    },
    answer: {
      before: ['2', 1],
      itself: ['2', 1],
      after: ['1', 1],
      refreshed: ['1', 1],
      once: [
        ['1', 1],
        ['1', 1],
      ],
      again: [
        ['2', 1],
        ['0', 1],
      ],
    },
  },
  {
    title:
      'an exchange by another client yields acr 1 and the time of the session; all tokens of the login keep the level',
    async ask(server) {
      const visit = await Visit.begin(server);
      const { seen } = visit;
      const earlier = textOf(await visit.again());
      const token = textOf(await visit.stepUp());
      const atB = await exchangeForB(server, token);
      const atC = await exchangeForC(server, atB);
      return {
        atB: [seen.in(claimsOf(atB)), await seen.byIntrospection(server, atB, 'service-b')],
        atC: [seen.in(claimsOf(atC)), await seen.byIntrospection(server, atC, 'service-c')],
        ofLogin: await seen.byIntrospection(server, token),
        earlier: [seen.in(claimsOf(earlier)), await seen.byIntrospection(server, earlier)],
        exchangedEarlier: seen.in(claimsOf(await exchangeForB(server, earlier))),
      };
    },
    answer: {
      atB: [
        ['1', 1],
        ['1', 1],
      ],
      atC: [
        ['1', 1],
        ['1', 1],
      ],
      ofLogin: ['2', 1],
      earlier: [
        ['1', 0],
        ['2', 1],
      ],
      exchangedEarlier: ['1', 1],
    },
  },
  {
    title: 'a request for level 2 in a new browser shows the forms of both levels',
    ask: async (server) => [
      await freshly(server, { acr_values: '2' }),
      await freshly(server, essential('2')),
      await freshly(server, claimsFor({ essential: true, value: '2' })),
      await freshly(server, claimsFor({ value: '2' })),
    ],
    answer: [
      { forms: [NAME_FORM, PASSWORD_FORM], acr: '2' },
      { forms: [NAME_FORM, PASSWORD_FORM], acr: '2' },
      { forms: [NAME_FORM, PASSWORD_FORM], acr: '2' },
      { forms: [NAME_FORM, PASSWORD_FORM], acr: '2' },
    ],
  },
  {
    title: 'a request for level 2 with prompt=none is refused with login_required until the session has level 2',
    async ask(server) {
      const visit = await Visit.begin(server);
      const before = errorOf(await visit.ask({ prompt: 'none', acr_values: '2' }));
      const atOne = errorOf(await visit.ask({ prompt: 'none', acr_values: '1' }));
      await visit.stepUp();
      return [before, atOne, errorOf(await visit.ask({ prompt: 'none', acr_values: '2' }))];
    },
    answer: ['login_required', undefined, undefined],
  },
  {
    title: 'a max_age that has passed requires one form for level 1 and both for level 2; the session keeps level 2',
    async ask(server) {
      const visit = await Visit.begin(server);
      await visit.stepUp();
      await sleep(1100);
      const one = await through(visit.browser, await visit.ask({ max_age: '0' }));
      const atOne = visit.seen.inIdToken(await visit.redeem(one.end));
      const held = visit.seen.inIdToken(await visit.again({ acr_values: '2' }));
      await sleep(1100);
      const both = await through(visit.browser, await visit.ask({ max_age: '0', acr_values: '2' }));
      const atTwo = visit.seen.inIdToken(await visit.redeem(both.end));
      return [one.forms, atOne, held, both.forms, atTwo, errorOf(await visit.ask({ max_age: '600', prompt: 'none' }))];
    },
    answer: [[NAME_FORM], ['1', 1], ['2', 1], [NAME_FORM, PASSWORD_FORM], ['2', 1], undefined],
  },
  {
    title: 'a request for several levels requires the lowest of these levels',
    async ask(server) {
      const visit = await Visit.begin(server);
      return [
        errorOf(await visit.ask({ prompt: 'none', acr_values: '2 1' })),
        errorOf(await visit.ask({ prompt: 'none', acr_values: '2 3' })),
      ];
    },
    answer: [undefined, 'login_required'],
  },
  {
    title: 'an unknown level: a name is ignored, a number reaches the highest level, and an essential level fails',
    async ask(server) {
      const visit = await Visit.begin(server);
      const ignored = visit.seen.inIdToken(await visit.again({ acr_values: 'gold' }));
      const fails = page(await visit.ask(essential('gold')), 'Invalid parameter: claims');
      const oneFails = page(await visit.ask(essential('gold', '2')), 'Invalid parameter: claims');
      await visit.stepUp();
      return [
        ignored,
        fails,
        oneFails,
        // Keycloak shows an error, since the realm has no higher level.
        page(await visit.ask({ acr_values: '3' }), 'Invalid username or password.'),
        page(await visit.ask(essential('3')), 'Invalid username or password.'),
        await freshly(server, { acr_values: 'gold' }),
        await freshly(server, { acr_values: '3' }),
        await freshly(server, essential('3')),
      ];
    },
    answer: [
      ['1', 0],
      ERROR_PAGE,
      ERROR_PAGE,
      ERROR_PAGE,
      ERROR_PAGE,
      { forms: [NAME_FORM], acr: '1' },
      { forms: [NAME_FORM, PASSWORD_FORM], acr: '2' },
      { forms: [NAME_FORM, PASSWORD_FORM], end: 400 },
    ],
  },
  {
    title: 'the password grant has level 1 and no time',
    async ask(server) {
      const token = textOf(await login(server, 'alice'));
      const seen = new SeenLogins();
      return [seen.in(claimsOf(token)), await seen.byIntrospection(server, token)];
    },
    answer: [
      ['1', undefined],
      ['1', undefined],
    ],
  },
];
