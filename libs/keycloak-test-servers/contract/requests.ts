import type { ContractServer } from './server.js';
import { SECRETS } from './demo-realm.js';

export type Asked = Pick<ContractServer, 'issuer'>;

export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
export const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** A list of pairs may contain a parameter twice. */
export type Form = Readonly<Record<string, string>> | [string, string][];

/**
 * A client in `SECRETS` sends its demo secret, and `name:secret` sends `secret`. Without a caller, the request has no
 * client credentials in the header.
 */
export type Caller = keyof typeof SECRETS | `${string}:${string}` | undefined;

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly members: Readonly<Record<string, unknown>>;
}

export const request = (server: Asked, path: string, init?: RequestInit): Promise<Reply> =>
  replyFrom(server.issuer + path, init);

export async function replyFrom(url: string, init: RequestInit = {}): Promise<Reply> {
  const response = await fetch(url, { redirect: 'manual', ...init });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true && text !== '';
  const members = isJson ? (JSON.parse(text) as Record<string, unknown>) : {};
  return { status: response.status, headers: response.headers, text, members };
}

export function post(server: Asked, path: string, form: Form, caller?: Caller): Promise<Reply> {
  return request(server, `/protocol/openid-connect${path}`, {
    method: 'POST',
    headers: basic(caller),
    body: new URLSearchParams(pairsOf(form)),
  });
}

const pairsOf = (form: Form): [string, string][] => (Array.isArray(form) ? form : Object.entries(form));

export function basic(caller: Caller): Record<string, string> {
  if (caller === undefined) return {};
  const pair = isKnown(caller) ? `${caller}:${SECRETS[caller]}` : caller;
  return { Authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

const isKnown = (caller: string): caller is keyof typeof SECRETS => Object.hasOwn(SECRETS, caller);

export const token = (server: Asked, form: Form, caller?: Caller) => post(server, '/token', form, caller);

export const clientCredentials = (server: Asked, caller: Caller, scope?: string) =>
  token(server, { grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) }, caller);

export const login = (
  server: Asked,
  username: string,
  scope: string | undefined = 'openid orders.read',
  client_id = 'demo-cli',
  password = username,
) => token(server, { grant_type: 'password', client_id, username, password, scope });

export const refresh = (server: Asked, refresh_token: string, more: Form = {}) =>
  token(server, { grant_type: 'refresh_token', client_id: 'demo-cli', refresh_token, ...more });

export const exchange = (server: Asked, caller: Caller, subject_token: string, more: Form = {}) =>
  token(
    server,
    [...Object.entries({ grant_type: EXCHANGE, subject_token, subject_token_type: ACCESS_TOKEN }), ...pairsOf(more)],
    caller,
  );

export const introspect = (server: Asked, caller: Caller, text: string, more: Form = {}) =>
  post(server, '/token/introspect', { token: text, ...more }, caller);

export const revoke = (server: Asked, caller: Caller, text: string, more: Form = {}) =>
  post(server, '/revoke', { token: text, ...more }, caller);

export const logout = (server: Asked, refresh_token: string) =>
  post(server, '/logout', { client_id: 'demo-cli', refresh_token });

export function textOf(reply: Reply, name: 'access_token' | 'refresh_token' | 'id_token' = 'access_token'): string {
  const value = reply.members[name];
  if (typeof value === 'string') return value;
  throw new Error(`No ${name} in an answer ${reply.status}: ${reply.text}`);
}

export interface Chain {
  readonly login: Reply;
  readonly atA: string;
  readonly atB: string;
  readonly atC: string;
}

export async function chainOf(server: Asked, username: string, client?: string): Promise<Chain> {
  const first = await login(server, username, 'openid orders.read', client);
  const atB = await exchangeForB(server, textOf(first));
  return { login: first, atA: textOf(first), atB, atC: await exchangeForC(server, atB) };
}

export const exchangeForB = async (server: Asked, subject: string): Promise<string> =>
  textOf(await exchange(server, 'service-a', subject, { scope: 'orders.approve', audience: 'service-b' }));

export const exchangeForC = async (server: Asked, subject: string): Promise<string> =>
  textOf(await exchange(server, 'service-b', subject, { scope: 'analytics.run', audience: 'service-c' }));
