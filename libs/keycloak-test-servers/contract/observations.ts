import type { Reply } from './requests.js';
import type { ContractServer } from './server.js';
import { claimsOf } from './demo-realm.js';

const UUIDS = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

type Members = Readonly<Record<string, unknown>>;

export function tokenAnswer(server: ContractServer, { status, members }: Reply): Members {
  const { access_token, id_token, refresh_token, ...rest } = members;
  return {
    status,
    ...normal(server, rest),
    ...(typeof access_token === 'string' ? { accessToken: decoded(server, access_token) } : {}),
    ...(typeof id_token === 'string' ? { idToken: decoded(server, id_token) } : {}),
    ...(refresh_token === undefined ? {} : { refresh_token: `<${typeof refresh_token}>` }),
  };
}

export const answer = (server: ContractServer, { status, members }: Reply): Members => ({
  status,
  ...normal(server, members),
});

export const isActive = ({ members }: Reply): unknown => members['active'];

export const claims = (reply: Reply): Members => claimsOf(String(reply.members['access_token']));

export function decoded(server: ContractServer, token: string): Members {
  const header = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as Record<string, unknown>;
  return { header: { ...header, kid: `<${typeof header['kid']}>` }, claims: normal(server, claimsOf(token)) };
}

function normal(server: ContractServer, members: Members): Members {
  const { exp, iat, ...rest } = members;
  const lifetime = typeof exp === 'number' && typeof iat === 'number' ? { lifetime: wholeMinutes(exp - iat) } : {};
  const named = Object.entries(rest).map(([name, value]) => [name, normalValue(server, name, value)]);
  return { ...Object.fromEntries(named), ...lifetime } as Members;
}

function normalValue(server: ContractServer, name: string, value: unknown): unknown {
  if (name === 'scope' && typeof value === 'string') return value.split(' ').toSorted();
  if (name === 'aud' && Array.isArray(value)) return (value as string[]).toSorted();
  if (/^(refresh_)?expires_in$/.test(name) && typeof value === 'number') return wholeMinutes(value);
  if (name === 'auth_time' && typeof value === 'number') return '<time>';
  if (typeof value !== 'string') return value;
  if (name === 'sid' || name === 'session_state') return '<sid>';
  if (name === 'clientHost' || name === 'clientAddress') return '<address>';
  if (name === 'at_hash') return `<${value.length} characters>`;
  return value.replace(server.issuer, '<issuer>').replace(UUIDS, '<uuid>');
}

/**
 * Corrects a rounding error of one second, since Keycloak reads the clock separately for `iat`, `exp` and `expires_in`.
 * The lifespans of the realm are whole minutes.
 */
const wholeMinutes = (seconds: number): number => {
  const nearest = Math.round(seconds / 60) * 60;
  return Math.abs(seconds - nearest) <= 1 ? nearest : seconds;
};

export async function administered(server: ContractServer, response: Response, wanted?: readonly string[]) {
  const text = await response.text();
  const json: unknown = text === '' ? undefined : JSON.parse(text);
  const location = response.headers.get('location')?.replace(server.baseUrl, '<server>').replace(UUIDS, '<uuid>');
  const shown = (item: unknown): unknown =>
    wanted === undefined ? item : Object.fromEntries(wanted.map((name) => [name, (item as Members)[name]]));
  return {
    status: response.status,
    ...(location === undefined ? {} : { location }),
    ...(json === undefined ? {} : { json: Array.isArray(json) ? json.map(shown) : shown(json) }),
  };
}

export const askAdministrator = async (
  server: ContractServer,
  method: string,
  path: string,
  body?: unknown,
  wanted?: readonly string[],
): Promise<Members> => administered(server, await server.administrator.ask(method, path, { body }), wanted);

export function callback(server: ContractServer, { status, headers }: Reply): Members {
  const location = headers.get('location') ?? 'none:';
  const [to, separator = '', parameters = ''] = location.split(/([?#])/);
  const { code, ...rest } = Object.fromEntries(new URLSearchParams(parameters)) as Record<string, string>;
  return { status, to, separator, ...normal(server, rest), ...(code === undefined ? {} : { code: '<code>' }) };
}

/** Returns the comparable parts of a page; other text, style and scripts may differ. */
export function page({ status, headers, text }: Reply, words: string): Members {
  const said = text
    .replaceAll(/<(script|style)[^]*?<\/\1>/g, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll('&#39;', "'")
    .replaceAll(/\s+/g, ' ');
  const isHtml = headers.get('content-type')?.startsWith('text/html') === true;
  return { status, isHtml, hasLogin: text.includes('id="kc-form-login"'), says: said.includes(words) };
}
