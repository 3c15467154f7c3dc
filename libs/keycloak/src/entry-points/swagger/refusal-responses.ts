import { AuthorizationServerError, BearerError, type KeycloakException, type RefusalReply } from '../../index.js';
import { nameOfClient, type AllowedClient, type RouteAccess } from '../ports/reported-routes.js';

export const REFUSAL_SCHEMA = 'KeycloakRefusal';

export interface RefusalWriter {
  toReply(refusal: KeycloakException): RefusalReply;
}

/** Permissions that are not scopes are in no challenge. */
export function refusalResponses(
  access: RouteAccess,
  writer: RefusalWriter,
  permissionsAreScopes: boolean,
): Record<string, object> {
  const replies = refusalsOf(access, permissionsAreScopes).map((refusal) => writer.toReply(refusal));
  const statuses = [...new Set(replies.map(({ status }) => status))];
  return Object.fromEntries(
    statuses.map((status) => [
      String(status),
      responseOf(
        replies.filter((reply) => reply.status === status),
        access,
      ),
    ]),
  );
}

function refusalsOf(
  { opening, permissions, anyOf, clients, authentication }: RouteAccess,
  permissionsAreScopes: boolean,
): KeycloakException[] {
  if (opening === 'public') return [];
  if (opening === 'closed') return [new BearerError('route_closed', { reason: 'no_decorator_opens_it' })];
  // If one of several permissions suffices, the guard's refusal names the first permission.
  const named = [...new Set([...permissions, ...anyOf.flatMap(([first]) => first ?? [])])];
  const scopes = permissionsAreScopes ? named : [];
  return [
    // The guard refuses credentials of another scheme, even if the token is optional.
    new BearerError('missing_token', { reason: opening === 'optional' ? 'scheme_not_bearer' : 'no_credentials' }),
    new BearerError('invalid_request', { reason: 'more_than_one_credential' }),
    new BearerError('invalid_token', { reason: 'inactive' }),
    ...named.map(
      (permission) => new BearerError('insufficient_scope', { reason: 'permission_missing', permission, scopes }),
    ),
    ...(clients.length > 0 ? [new BearerError('client_not_allowed', { reason: 'client_not_allowed' })] : []),
    ...(authentication === undefined ? [] : [refusalOfLogin(authentication)]),
    new AuthorizationServerError('authorization_server_refused', { reason: 'answered_401_invalid_client' }),
    new AuthorizationServerError('authorization_server_unavailable', { reason: 'timeout' }),
  ];
}

const refusalOfLogin = (authentication: NonNullable<RouteAccess['authentication']>): KeycloakException =>
  new BearerError('insufficient_user_authentication', {
    reason: authentication.acrValues.length > 0 ? 'authentication_too_weak' : 'authentication_too_old',
    authentication,
  });

function responseOf(replies: readonly RefusalReply[], { clients }: RouteAccess): object {
  const named = withNames(replies);
  const examples = Object.fromEntries(named.map(([name, { body }]) => [name, { value: body }]));
  const headers = Object.fromEntries(
    [...new Set(replies.flatMap((reply) => Object.keys(reply.headers)))].map((name) => [name, headerOf(name, named)]),
  );
  return {
    description: [...new Set(replies.map((reply) => describe(reply, clients)))].join('; '),
    ...(Object.keys(headers).length > 0 ? { headers } : {}),
    content: { 'application/json': { schema: { $ref: `#/components/schemas/${REFUSAL_SCHEMA}` }, examples } },
  };
}

function describe(
  { body: { error, code, acrValues, maxAgeSeconds } }: RefusalReply,
  clients: readonly AllowedClient[],
): string {
  if (code === 'client_not_allowed') return `${error}: only ${clients.map(nameOfClient).join(', ')}`;
  if (code !== 'insufficient_user_authentication') return error;
  const acr = acrValues === undefined ? [] : [`acr ${acrValues.join(' or ')}`];
  const age = maxAgeSeconds === undefined ? [] : [`at most ${maxAgeSeconds} s ago`];
  return `${error}: ${[...acr, ...age].join(', ')}`;
}

type NamedReply = readonly [name: string, reply: RefusalReply];

function withNames(replies: readonly RefusalReply[]): readonly NamedReply[] {
  const times = new Map<string, number>();
  return replies.map((reply) => {
    const name = exampleName(reply);
    const time = (times.get(name) ?? 0) + 1;
    times.set(name, time);
    return [time === 1 ? name : `${name}.${time}`, reply];
  });
}

/** A role may contain spaces; the name of an example must not. */
const exampleName = ({ body: { code, permission } }: RefusalReply): string =>
  [code, ...(permission === undefined ? [] : [permission.replaceAll(/[^\w.-]/g, '_')])].join('.');

const HEADERS: Readonly<Record<string, string>> = {
  'WWW-Authenticate': 'The challenge (RFC 6750 §3, RFC 9470 §3)',
  'Retry-After': 'Seconds',
};

function headerOf(name: string, replies: readonly NamedReply[]): object {
  const withHeader = replies.filter(([, { headers }]) => headers[name] !== undefined);
  return {
    description: HEADERS[name] ?? name,
    required: withHeader.length === replies.length,
    schema: { type: 'string' },
    examples: Object.fromEntries(withHeader.map(([example, { headers }]) => [example, { value: headers[name] }])),
  };
}

export const refusalSchema = (exposesReason: boolean): object => ({
  type: 'object',
  description: 'A refusal. Decide by the status and by `code`; `error` is for people.',
  required: ['error', 'code', ...(exposesReason ? ['reason'] : [])],
  properties: {
    error: { type: 'string' },
    code: { type: 'string' },
    permission: { type: 'string', description: 'With `insufficient_scope`: the permission that is missing' },
    acrValues: {
      type: 'array',
      items: { type: 'string' },
      description: 'With `insufficient_user_authentication`: the accepted values of `acr`, the preferred one first',
    },
    maxAgeSeconds: {
      type: 'integer',
      minimum: 0,
      description: 'With `insufficient_user_authentication`: the maximum age of the login in seconds',
    },
    ...(exposesReason ? { reason: { type: 'string', description: 'The finer reason, in demonstrations only' } } : {}),
  },
});
