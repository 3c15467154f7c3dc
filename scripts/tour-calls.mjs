// The calls of the tour: each is made, shown without what must not be seen, and compared with what it should be.
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { paint } from './processes.mjs';

const HIDDEN = '********';
/** What must not be shown, and what is shown in its place. */
const masks = new Map();
let step = 0;

/** A step that did not go as it should, or a stack that does not run. */
export class TourError extends Error {}

/** From now on no secret is shown, here and wherever it comes up again. */
export function hide(secret, mask = HIDDEN) {
  masks.set(secret, mask);
}

/** How many steps were begun. */
export const steps = () => step;

/** Follows no redirect. */
export async function call(method, url, { headers, body, shownHeaders, shownBody }) {
  print(paint(36, `→ ${method} ${url}`));
  for (const line of [...shownHeaders, ...shownBody]) print(`    ${line}`);
  let response;
  try {
    response = await fetch(url, { method, headers, body, redirect: 'manual', signal: AbortSignal.timeout(30_000) });
  } catch (error) {
    throw new TourError(`Step ${step}: ${url} did not answer (${error.cause?.code ?? error.message})`);
  }
  const text = await response.text();
  const { status, headers: received } = response;
  const answer = { url, status, headers: received, challenge: received.get('www-authenticate'), body: parse(text) };
  hideTokens(answer.body);
  const cookies = received.getSetCookie().map(hideCookie);
  print(paint(answer.status < 400 ? 32 : 33, `← ${answer.status} ${response.statusText}`));
  if (answer.challenge !== null) print(`    WWW-Authenticate: ${answer.challenge}`);
  if (received.has('location')) print(`    Location: ${hideCode(received.get('location'))}`);
  for (const metric of received.get('server-timing')?.split(', ') ?? []) print(`    Server-Timing: ${metric}`);
  for (const cookie of cookies) print(`    Set-Cookie: ${cookie}`);
  for (const line of shown(answer.body, received.get('content-type'))) print(`    ${line}`);
  return answer;
}

/** The claims of a token, shown, and compared with those expected. */
export function claims(token, expected) {
  const all = JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());
  const { aud, azp, sub, scope, exp, typ } = all;
  print(`  ${token} holds:`);
  for (const [name, value] of Object.entries({ aud, azp, sub, scope, exp, typ })) {
    const until = name === 'exp' ? ` (in ${Math.round(value - Date.now() / 1000)} s)` : '';
    print(`    ${name}: ${JSON.stringify(value)}${until}`);
  }
  for (const [name, value] of Object.entries(expected)) {
    expectThat(isDeepStrictEqual(all[name], value), `${name} is ${value}`);
  }
  return all;
}

export function explain(sentence) {
  step += 1;
  console.log(`\n${paint(1, `${step}. ${sentence}`)}`);
}

export function expect(answer, status, what, members = {}) {
  expectThat(answer.status === status, `the answer is ${status}, ${what}`);
  for (const [name, value] of Object.entries(members)) {
    expectThat(isDeepStrictEqual(answer.body?.[name], value), `${name} is ${JSON.stringify(value)}`);
  }
}

export function expectThat(holds, what) {
  if (!holds) throw new TourError(`Step ${step} did not go as it should. Expected: ${what}.`);
  print(paint(32, `  ✓ ${what}`));
}

/** Every token in an answer is shown as the first 8 hex digits of its SHA-256, here and wherever it comes up again. */
function hideTokens(body) {
  for (const name of ['access_token', 'refresh_token', 'id_token']) {
    const token = body?.[name];
    if (typeof token !== 'string') continue;
    hide(token, `token:${createHash('sha256').update(token).digest('hex').slice(0, 8)}`);
  }
}

function print(line) {
  let masked = line;
  for (const [hidden, mask] of masks) masked = masked.replaceAll(hidden, mask);
  console.log(masked);
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Who has a cookie's value is who it was given to; what is shown are its name and attributes. */
function hideCookie(line) {
  const value = /^[^=]+=([^;]{8,})/.exec(line)?.[1];
  if (value !== undefined) hide(value);
  return line;
}

/** An authorization code is good for one login. */
function hideCode(location) {
  const code = /[?&]code=([^&]+)/.exec(location)?.[1];
  if (code !== undefined) hide(code);
  return location;
}

/** JSON in full, of a page its title. */
function shown(body, contentType) {
  if (body === '') return [];
  if (contentType?.startsWith('text/html')) return [`(a page: ${/<title>([^<]*)/.exec(body)?.[1].trim()})`];
  return JSON.stringify(body, null, 2).split('\n');
}
