// npm run tour: walks the running stack with the HTTP calls a person would make, shows each, and checks what comes back.
// --brief prints a line a step; the name of a step takes that one, with what it needs before.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runsAlready } from './own-options.mjs';
import { messageOf, paint } from './processes.mjs';
import { clientSecrets, portOf, REALM, services } from './services.mjs';
import { call } from './tour-calls.mjs';

process.chdir(join(import.meta.dirname, '..'));
if (existsSync('.env')) process.loadEnvFile('.env');
const { values: flags, positionals } = parseArgs({ options: { brief: { type: 'boolean' } }, allowPositionals: true });
const print = flags.brief ? () => undefined : console.log;
const chosen = process.env.AUTHORIZATION_SERVER ?? '';
const server = runsAlready(chosen) ? chosen : `http://localhost:${portOf(process.env, 'KEYCLOAK_PORT', 8080)}`;
const [, base, realm = REALM] = /^(.*?)(?:\/realms\/([^/]+))?\/*$/.exec(server) ?? [];
const openid = `${base}/realms/${realm}/protocol/openid-connect`;
const portNamed = (/** @type {string} */ wanted) => services(process.env).find(({ name }) => name === wanted)?.port;
const atA = (path = '') => `http://localhost:${portNamed('service-a')}/${path}`;
const atC = `http://localhost:${portNamed('service-c')}/api/compute`;
/** @typedef {import('./tour-calls.mjs').Cookies} Cookies */
/** @type {Map<string, () => Promise<unknown>>} */
const steps = new Map();

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
  'logout',
  'alice logs out, at Service A and at Keycloak. The id of her session opens nothing any more.',
  async (cookies) => {
    const former = new Map(cookies);
    const csrf_token = /name="csrf_token" value="([^"]+)"/.exec((await ask(atA(), 200, { cookies })).text)?.[1] ?? '';
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

try {
  const unknown = positionals.find((name) => !steps.has(name));
  if (unknown !== undefined)
    throw new Error(`Unknown step "${unknown}". The steps are ${[...steps.keys()].join(', ')}`);
  for (const [name, run] of steps) if (positionals.length === 0 || positionals.includes(name)) await run();
  console.log(paint(32, '\nEverything went as it should.'));
} catch (error) {
  console.error(paint(31, `\n${messageOf(error)}`));
  process.exitCode = 1;
}

/**
 * A step, which is taken once, after the one that it needs.
 *
 * @template Given, Needed
 * @param {string} name
 * @param {string} sentence
 * @param {(needed: Needed) => Promise<Given>} act
 * @param {() => Promise<Needed>} [need]
 * @returns {() => Promise<Given>}
 */
function step(name, sentence, act, need) {
  /** @type {Promise<Given> | undefined} */
  let taken;
  const take = async () => {
    const needed = /** @type {Needed} */ (await need?.());
    if (!flags.brief) console.log(`\n${paint(1, `${name}: ${sentence}`)}`);
    const given = await act(needed);
    if (flags.brief) console.log(`${paint(32, '✓')} ${name}: ${sentence}`);
    return given;
  };
  const run = () => (taken ??= take());
  steps.set(name, run);
  return run;
}

function check(/** @type {string} */ what, /** @type {unknown} */ holds) {
  if (!holds) throw new Error(`It did not go as it should. Expected: ${what}.`);
  print(paint(32, `  ✓ ${what}`));
}

/**
 * @param {string} url
 * @param {number} status
 * @param {Omit<import('./tour-calls.mjs').Sent, 'client'> & { client?: string }} sent
 */
async function ask(url, status, { client, ...sent }) {
  const secret = clientSecrets(process.env)[`${client?.toUpperCase().replaceAll('-', '_')}_CLIENT_SECRET`];
  const answer = await call(url, client && secret ? { ...sent, client: [client, secret] } : sent, print);
  check(`the answer is ${status}`, answer.status === status);
  return answer;
}

/**
 * An access token for `aud`, which `azp` asks for.
 *
 * @param {Record<string, string>} form
 * @param {string} aud
 * @param {string} azp
 * @returns {Promise<string>}
 */
async function tokenFrom(form, aud, azp) {
  const { access_token } = (await ask(`${openid}/token`, 200, { form, client: azp })).answer;
  const claims = claimsOf(access_token);
  print(`    ${JSON.stringify(claims)}`);
  check(`aud is ${aud}, azp is ${azp}`, claims.aud === aud && claims.azp === azp);
  return access_token;
}

function claimsOf(/** @type {string} */ token) {
  const { aud, azp, sub, scope, exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  return { aud, azp, sub, scope, lives: `${Math.round(exp - Date.now() / 1000)} s` };
}

async function logIn(/** @type {string} */ user) {
  /** @type {Cookies} */
  const cookies = new Map();
  const toKeycloak = await ask(atA('auth/login'), 303, { cookies });
  check('it asks for a code, with PKCE', toKeycloak.headers.get('location')?.includes('code_challenge_method=S256'));
  const page = await follow(toKeycloak, cookies);
  const action = /<form[^>]* action="([^"]+)"/.exec(page.text)?.[1]?.replaceAll('&amp;', '&') ?? '';
  const form = { username: user, password: user };
  const back = await ask(new URL(action, page.url).href, 302, { cookies, form });
  await follow(back, cookies);
  check('the browser has the id of a session', cookies.has('session'));
  return cookies;
}

/**
 * @param {Awaited<ReturnType<typeof call>>} answer
 * @param {Cookies} cookies
 */
async function follow(answer, cookies) {
  let page = answer;
  for (let to = page.headers.get('location'); to !== null; to = page.headers.get('location'))
    page = await call(new URL(to, page.url).href, { cookies }, print);
  return page;
}

/** What there is to read on a page. */
function words(/** @type {string} */ page) {
  return page.replaceAll(/<[^>]*>/g, '').replaceAll(/\s+/g, ' ');
}
