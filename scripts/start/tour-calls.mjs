import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { paint } from '../common/processes.mjs';
import { runningKeycloak } from './running-keycloak.mjs';
import { clientSecrets, services } from './services.mjs';
import { print } from './tour-steps.mjs';

process.chdir(join(import.meta.dirname, '../..'));
if (existsSync('.env')) process.loadEnvFile('.env');
export const openid = `${runningKeycloak(process.env).issuer}/protocol/openid-connect`;
const portNamed = (/** @type {string} */ wanted) => services(process.env).find(({ name }) => name === wanted)?.port;
export const atA = (path = '') => `http://localhost:${portNamed('service-a')}/${path}`;
export const atC = `http://localhost:${portNamed('service-c')}/api/compute`;

/**
 * @typedef {Map<string, { value: string, host: string }>} Cookies by name; a browser sends the cookies to `host` only
 * @typedef {{ token?: string, client?: string[], form?: Record<string, string>, json?: object, cookies?: Cookies }} Sent
 * `client` is sent with its secret by HTTP Basic
 */
const digest = (/** @type {string} */ token) => `token:${createHash('sha256').update(token).digest('hex').slice(0, 8)}`;

const hide = (/** @type {string} */ name, /** @type {any} */ value) =>
  /^((access|refresh|id|subject)_)?token$/.test(name) ? digest(value) : /^(password|csrf_)/.test(name) ? '***' : value;

/**
 * @param {string} url
 * @param {Sent} sent
 */
async function call(url, { token, client, form, json, cookies }) {
  const headers = new Headers({ accept: cookies ? 'text/html' : 'application/json' });
  if (json) headers.set('content-type', 'application/json');
  if (cookies && form) headers.set('sec-fetch-site', 'same-origin');
  const { host } = new URL(url);
  const sentCookies = [...(cookies ?? [])].filter(([, cookie]) => cookie.host === host);
  if (sentCookies.length > 0)
    headers.set('cookie', sentCookies.map(([name, { value }]) => `${name}=${value}`).join('; '));
  const credentials = client ? `Basic ${btoa(client.join(':'))}` : token ? `Bearer ${token}` : '';
  if (credentials) headers.set('authorization', credentials);
  print(paint(36, `→ ${form || json ? 'POST' : 'GET'} ${url.replace(/\?.*/, '?…')}`));
  if (credentials) print(`    Authorization: ${client ? `Basic ${client[0]}:***` : `Bearer ${digest(token ?? '')}`}`);
  if (sentCookies.length > 0) print(`    Cookie: ${sentCookies.map(([name]) => `${name}=***`).join('; ')}`);
  if (form || json) print(`    ${JSON.stringify(form ?? json, hide)}`);
  const body = form ? new URLSearchParams(form) : json ? JSON.stringify(json) : null;
  const signal = AbortSignal.timeout(30_000);
  const method = body ? 'POST' : 'GET';
  const response = await fetch(url, { method, headers, body, redirect: 'manual', signal }).catch((error) => {
    const why = `${url} did not answer (${error.cause?.code ?? error.message})`;
    throw new Error(`${why}. Start the stack first, in another terminal, with npm start or docker compose up --build`);
  });
  const text = await response.text();
  print(paint(response.status < 400 ? 32 : 33, `← ${response.status} ${response.statusText}`));
  for (const [name, value] of response.headers) {
    if (/^(www-authenticate|location|server-timing)$/.test(name)) print(`    ${name}: ${value.replace(/\?.*/, '?…')}`);
    const [, cookie = '', kept = '', attributes = ''] = /^([^=]+)=([^;]*)(.*)$/.exec(value) ?? [];
    if (name !== 'set-cookie') continue;
    print(`    set-cookie: ${cookie}=***${attributes}`);
    if (kept === '' || /max-age=0\b/i.test(attributes)) cookies?.delete(cookie);
    else cookies?.set(cookie, { value: kept, host });
  }
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  const answer = isJson ? JSON.parse(text) : {};
  const title = /<title>([^<]*)/.exec(text)?.[1]?.trim();
  if (isJson) print(`    ${JSON.stringify(answer, hide)}`);
  if (title) print(`    (a page: ${title})`);
  return { url, status: response.status, headers: response.headers, text, answer };
}

export function check(/** @type {string} */ what, /** @type {unknown} */ holds) {
  if (!holds) throw new Error(`The tour failed. Expected: ${what}.`);
  print(paint(32, `  ✓ ${what}`));
}

/**
 * @param {string} url
 * @param {number} status
 * @param {Omit<Sent, 'client'> & { client?: string }} sent
 */
export async function ask(url, status, { client, ...sent }) {
  const secret = clientSecrets(process.env)[`${client?.toUpperCase().replaceAll('-', '_')}_CLIENT_SECRET`];
  const answer = await call(url, client && secret ? { ...sent, client: [client, secret] } : sent);
  check(`the answer is ${status}`, answer.status === status);
  return answer;
}

/**
 * @param {Record<string, string>} form
 * @param {string} aud
 * @param {string} azp
 * @returns {Promise<string>}
 */
export async function tokenFrom(form, aud, azp) {
  const { access_token } = (await ask(`${openid}/token`, 200, { form, client: azp })).answer;
  const claims = claimsOf(access_token);
  print(`    ${JSON.stringify(claims)}`);
  check(`aud is ${aud}, azp is ${azp}`, claims.aud === aud && claims.azp === azp);
  return access_token;
}

export function claimsOf(/** @type {string} */ token) {
  const { aud, azp, sub, scope, exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  return { aud, azp, sub, scope, lives: `${Math.round(exp - Date.now() / 1000)} s` };
}

export async function logIn(/** @type {string} */ user) {
  /** @type {Cookies} */
  const cookies = new Map();
  const toKeycloak = await ask(atA('auth/login'), 303, { cookies });
  check('it asks for a code, with PKCE', toKeycloak.headers.get('location')?.includes('code_challenge_method=S256'));
  await enter({ username: user, password: user }, await follow(toKeycloak, cookies), cookies);
  check('the browser has the id of a session', cookies.has('session'));
  return cookies;
}

/**
 * @param {Record<string, string>} form
 * @param {Awaited<ReturnType<typeof call>>} page
 * @param {Cookies} cookies
 */
export async function enter(form, page, cookies) {
  const action = /<form[^>]* action="([^"]+)"/.exec(page.text)?.[1]?.replaceAll('&amp;', '&') ?? '';
  return follow(await ask(new URL(action, page.url).href, 302, { cookies, form }), cookies);
}

export const csrfTokenIn = (/** @type {string} */ page) => /name="csrf_token" value="([^"]+)"/.exec(page)?.[1] ?? '';

/**
 * @param {Awaited<ReturnType<typeof call>>} answer
 * @param {Cookies} cookies
 */
export async function follow(answer, cookies) {
  let page = answer;
  for (let to = page.headers.get('location'); to !== null; to = page.headers.get('location'))
    page = await call(new URL(to, page.url).href, { cookies });
  return page;
}

export function words(/** @type {string} */ page) {
  return page.replaceAll(/<[^>]*>/g, '').replaceAll(/\s+/g, ' ');
}
