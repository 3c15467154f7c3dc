/** RFC 6749 §2.3.1 (HTTP Basic, form parameters), RFC 7523 §2.2 (assertion). */
import { createHash, timingSafeEqual } from 'node:crypto';
import { parameter, type HttpCall } from '../http/http-call.js';
import { OAuthRefusal } from './oauth-refusal.js';
import type { RealmClient } from '../realm/realm-representation.js';
import type { ServerState } from '../state/server-state.js';
import { checkAssertion, subjectOf } from './client-assertion.js';

const BAD_CLIENT = 'Invalid client or Invalid client credentials';

/**
 * For a wrong secret, the introspection endpoint answers `invalid_client`, and all other endpoints answer
 * `unauthorized_client`.
 */
export const WRONG_SECRET = new OAuthRefusal(401, 'unauthorized_client', BAD_CLIENT);
export const WRONG_SECRET_AT_INTROSPECTION = new OAuthRefusal(401, 'invalid_client', 'Client authentication failed.');

/** Client credentials in the form take precedence over the header. */
export function authenticateClient(
  server: ServerState,
  call: HttpCall,
  { wrongSecret = WRONG_SECRET, repeatable = [] }: { wrongSecret?: OAuthRefusal; repeatable?: readonly string[] } = {},
): RealmClient {
  const { clientId, secret } = presentedCredentials(call);
  const client = clientId === undefined ? undefined : server.realm.client(clientId);
  if (client === undefined || !client.enabled) throw new OAuthRefusal(401, 'invalid_client', BAD_CLIENT);
  if (client.signsAssertions) checkAssertion(server, client, call);
  else if (!client.isPublic && !isSame(secret, client.secret)) throw wrongSecret;
  const names = [...call.form.keys()].filter((name) => !repeatable.includes(name));
  if (new Set(names).size < names.length) throw new OAuthRefusal(400, 'invalid_request', 'duplicated parameter');
  return client;
}

export function presentedCredentials(call: HttpCall): { clientId: string | undefined; secret: string | undefined } {
  const [clientId, secret] = basicCredentials(call.authorization);
  const assertion = parameter(call, 'client_assertion');
  return {
    clientId: parameter(call, 'client_id') ?? (assertion === undefined ? clientId : subjectOf(assertion)),
    secret: parameter(call, 'client_secret') ?? secret,
  };
}

function basicCredentials(authorization: string | undefined): readonly string[] {
  const encoded = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return [];
  const pair = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString());
  if (pair === null) return [];
  try {
    return pair.slice(1).map((part) => decodeURIComponent(part.replaceAll('+', ' ')));
  } catch {
    return [];
  }
}

function isSame(presented: string | undefined, expected: string | undefined): boolean {
  if (presented === undefined || expected === undefined) return false;
  const [a, b] = [presented, expected].map((text) => createHash('sha256').update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}
