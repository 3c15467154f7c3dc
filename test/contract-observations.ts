/** What of an answer must be the same at both servers: all of it, with a name in place of what no two answers share. */
import type { Reply } from './contract-requests.js';
import type { ContractServer } from './contract-server.js';
import { claimsOf } from './keycloak.js';

type Members = Readonly<Record<string, unknown>>;

/** Any answer of the token endpoint, tokens opened. */
export function tokenAnswer(server: ContractServer, { status, members }: Reply): Members {
  const { access_token, id_token, refresh_token, ...rest } = members;
  return {
    status,
    ...normal(server, rest),
    ...(typeof access_token === 'string' ? { accessToken: opened(server, access_token) } : {}),
    ...(typeof id_token === 'string' ? { idToken: opened(server, id_token) } : {}),
    ...(refresh_token === undefined ? {} : { refresh_token: `<${typeof refresh_token}>` }),
  };
}

/** An answer with no token in it: introspection, refusals, documents. */
export const answer = (server: ContractServer, { status, members }: Reply): Members => ({
  status,
  ...normal(server, members),
});

export const isActive = ({ members }: Reply): unknown => members['active'];

export const claims = (reply: Reply): Members => claimsOf(String(reply.members['access_token']));

function opened(server: ContractServer, token: string): Members {
  const header = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as Record<string, unknown>;
  return { header: { ...header, kid: `<${typeof header['kid']}>` }, claims: normal(server, claimsOf(token)) };
}

function normal(server: ContractServer, members: Members): Members {
  const { exp, iat, ...rest } = members;
  const lifetime = typeof exp === 'number' && typeof iat === 'number' ? { lifetime: exp - iat } : {};
  const named = Object.entries(rest).map(([name, value]) => [name, normalValue(server, name, value)]);
  return { ...Object.fromEntries(named), ...lifetime } as Members;
}

function normalValue(server: ContractServer, name: string, value: unknown): unknown {
  if (name === 'scope' && typeof value === 'string') return value.split(' ').toSorted();
  if (name === 'aud' && Array.isArray(value)) return (value as string[]).toSorted();
  if (/^(refresh_)?expires_in$/.test(name) && typeof value === 'number') return wholeMinutes(value);
  if (typeof value !== 'string') return value;
  if (name === 'sid' || name === 'session_state') return '<sid>';
  if (name === 'clientHost' || name === 'clientAddress') return '<address>';
  if (name === 'at_hash') return `<${value.length} characters>`;
  return value.replace(server.issuer, '<issuer>').replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<uuid>');
}

/** Keycloak counts down from the second in which the token was made; lifespans of the realm are whole minutes. */
const wholeMinutes = (seconds: number): number => ((seconds + 1) % 60 === 0 ? seconds + 1 : seconds);
