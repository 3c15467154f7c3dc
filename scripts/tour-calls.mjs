// One call of the tour, by a browser where it has cookies: made, and shown without what must not be seen.
import { createHash } from 'node:crypto';
import { paint } from './processes.mjs';

/**
 * @typedef {Map<string, { value: string, host: string }>} Cookies by name: a browser sends those that the host has set
 * @typedef {{ token?: string, client?: string[], form?: Record<string, string>, json?: object, cookies?: Cookies }} Sent
 * a form or JSON, with a token, or as a client with its secret (HTTP Basic), or with the cookies of a browser
 */
const digest = (/** @type {string} */ token) => `token:${createHash('sha256').update(token).digest('hex').slice(0, 8)}`;

/** Tokens are shown by their SHA-256; secrets, passwords, codes and whatever else is in a query or a cookie, not at all. */
const hide = (/** @type {string} */ name, /** @type {any} */ value) =>
  /^((access|refresh|id|subject)_)?token$/.test(name) ? digest(value) : /^(password|csrf_)/.test(name) ? '***' : value;

/**
 * Follows no redirect.
 *
 * @param {string} url
 * @param {Sent} sent
 * @param {(line: string) => void} print
 */
export async function call(url, { token, client, form, json, cookies }, print) {
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
    throw new Error(`${why}. Start the stack first, in another terminal: npm start (or: docker compose up --build)`);
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
