// npm run tour sends HTTP calls to the running demonstration, shows each call, and checks the answers. With --brief,
// the command prints one line for each step. With a step's name, the command runs this step and all required steps.
import '../common/help.mjs';
import {
  ask,
  atA,
  atC,
  check,
  claimsOf,
  csrfTokenIn,
  enter,
  follow,
  logIn,
  openid,
  tokenFrom,
  words,
} from './tour-calls.mjs';
import { step, takeSteps } from './tour-steps.mjs';

const ownToken = step(
  'own-token',
  'Service A asks for a token (client credentials, RFC 6749 §4.4). Its one scope makes it a token for Service B.',
  () => tokenFrom({ grant_type: 'client_credentials', scope: 'orders.approve' }, 'service-b', 'service-a'),
);
step(
  'introspection',
  'B introspects it (RFC 7662): active. For C, which is not its audience, Keycloak only says that it is not active.',
  async (token) => {
    const sent = { form: { token } };
    const atB = await ask(`${openid}/token/introspect`, 200, { ...sent, client: 'service-b' });
    check(
      'active for B, from A',
      atB.answer.active && atB.answer.aud === 'service-b' && atB.answer.azp === 'service-a',
    );
    check(
      'not active for C',
      !(await ask(`${openid}/token/introspect`, 200, { ...sent, client: 'service-c' })).answer.active,
    );
  },
  ownToken,
);
const exchange = step(
  'exchange',
  'B does not forward it. B exchanges it for a token for C, of the same subject (token exchange, RFC 8693).',
  async (subject_token) => {
    const subject = { subject_token, subject_token_type: 'urn:ietf:params:oauth:token-type:access_token' };
    const wanted = { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', scope: 'analytics.run' };
    const token = await tokenFrom({ ...wanted, ...subject, audience: 'service-c' }, 'service-c', 'service-b');
    check('sub is the same', claimsOf(token).sub === claimsOf(subject_token).sub);
    return { stolen: subject_token, token };
  },
  ownToken,
);
step(
  'at-service-c',
  "C refuses A's own token (401 with WWW-Authenticate, RFC 6750 §3), and accepts the exchanged one.",
  async ({ stolen, token }) => {
    const { headers } = await ask(atC, 401, { token: stolen, json: { value: 10 } });
    check('it names invalid_token', /error="invalid_token"/.test(headers.get('www-authenticate') ?? ''));
    check('the result is 20', (await ask(atC, 200, { token, json: { value: 10 } })).answer.result === 20);
  },
  exchange,
);
step(
  'users',
  'alice signs in at a command-line client, and A, B and C act in her name. bob may not approve orders: 403.',
  async () => {
    const signIn = { grant_type: 'password', client_id: 'demo-cli', scope: 'openid orders.read' };
    const tokenOf = (/** @type {string} */ user) =>
      tokenFrom({ ...signIn, username: user, password: user }, 'service-a', 'demo-cli');
    await ask(atA('run-service-b'), 200, { token: await tokenOf('alice') });
    const { answer } = await ask(atA('run-service-b'), 403, { token: await tokenOf('bob') });
    check('the refusal names orders.approve', JSON.stringify(answer).includes('orders.approve'));
  },
);
const login = step(
  'login',
  'alice logs in with a browser (code flow with PKCE). A keeps her tokens; her browser gets the id of a session.',
  () => logIn('alice'),
);
step(
  'in-her-name',
  'The chain runs in her name: A exchanges her token for B, and B exchanges that one for C. bob in his browser is refused.',
  async (cookies) => {
    const { text, headers } = await ask(atA('run-service-b'), 200, { cookies });
    check('the page says: Called as alice', words(text).includes('Called as alice'));
    const exchanged = (/** @type {string} */ who) => headers.get('server-timing')?.includes(`${who}.token-exchange`);
    check('A and B exchanged a token', exchanged('service-a') && exchanged('service-b'));
    const ofBob = await ask(atA('run-service-b'), 403, { cookies: await logIn('bob') });
    check('it names orders.approve', words(ofBob.text).includes('Permission orders.approve is missing'));
  },
  login,
);
step(
  'step-up',
  'A refund demands a login of a moment ago, at level 2 (RFC 9470). A sends her to Keycloak for it, which asks for her password, and she comes back.',
  async (cookies) => {
    const former = cookies.get('session')?.value;
    const sent = await ask(atA('refund'), 303, { cookies });
    check('for a login at level 2', /acr_values=2&max_age=300/.test(sent.headers.get('location') ?? ''));
    const page = await enter({ password: 'alice' }, await follow(sent, cookies), cookies);
    check('the page offers the refund', words(page.text).includes('Refund it'));
    check('the id of her session is another one', cookies.get('session')?.value !== former);
    const csrf_token = csrfTokenIn(page.text);
    const { text } = await ask(atA('refund'), 200, { cookies, form: { csrf_token } });
    check('B refunds it, and asks C', /refunded by Service B.*Service C successfully/.test(words(text)));
  },
  login,
);
step(
  'logout',
  'alice logs out, at Service A and at Keycloak. The id of her session opens nothing any more.',
  async (cookies) => {
    const former = new Map(cookies);
    const csrf_token = csrfTokenIn((await ask(atA(), 200, { cookies })).text);
    const page = await follow(await ask(atA('auth/logout'), 303, { cookies, form: { csrf_token } }), cookies);
    check(
      'her browser has no session, and a page that offers a login',
      !cookies.has('session') && words(page.text).includes('Log in'),
    );
    await ask(atA('run-service-b'), 401, { cookies: former });
  },
  login,
);
step('attacks', 'Service A runs all attacks of its page. Each must be refused for the expected reason.', async () => {
  const { text } = await ask(atA('attacks'), 200, { cookies: new Map(), form: {} });
  const verdicts = [...text.matchAll(/data-attack="([^"]+)" data-verdict="([^"]+)"/g)];
  check(`there are ${verdicts.length} of them`, verdicts.length >= 13);
  for (const [, attack, verdict] of verdicts)
    check(`${attack}: refused, for the expected reason`, verdict === 'refused');
});

await takeSteps();
