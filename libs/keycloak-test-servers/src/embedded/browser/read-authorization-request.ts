/** RFC 6749 §4.1.1 and OpenID Connect Core §3.1.2.1, checked in Keycloak's order. */
import { CallbackRefusal, PageRefusal } from './browser-refusal.js';
import { readCodeChallenge } from '../grants/code-challenge.js';
import { requestedScopes } from '../grants/granted-claims.js';
import { readRequestedLevel } from './requested-level.js';
import { OAuthRefusal } from '../grants/oauth-refusal.js';
import type { RealmClient } from '../realm/realm-representation.js';
import type { Realm } from '../realm/realm.js';
import type { AuthorizationRequest } from '../state/authorization-request.js';

/**
 * Matches a URI with a path and without query and fragment, or a URN (RFC 8707 §2). Without the feature
 * `resource-indicators`, Keycloak checks the syntax of `resource`, and then ignores the parameter.
 */
const RESOURCE = /^(?:[a-z][a-z\d+.-]*:\/|urn:[a-z\d][a-z\d-]{0,31}:.)[^\s?#"<>\\^`{|}]*$/i;
const NO_RESOURCE = 'The requested resource is invalid, missing, unknown, or malformed.';

const NO_FLOW = 'Client is not allowed to initiate browser login with given response_type.';

/** @throws PageRefusal before the redirect URI is verified, CallbackRefusal afterwards. */
export function readAuthorizationRequest(realm: Realm, parameters: URLSearchParams): AuthorizationRequest {
  const parameter = (name: string): string | undefined => parameters.get(name) ?? undefined;
  const client = clientOf(realm, parameters);
  const redirectUri = parameter('redirect_uri') ?? '';
  if (!client.redirectUris.includes(redirectUri)) throw new PageRefusal('Invalid parameter: redirect_uri');

  const mode = parameter('response_mode') ?? 'query';
  const responseMode = mode === 'fragment' ? 'fragment' : 'query';
  const callback = { redirectUri, responseMode, state: parameter('state') } as const;
  const refused = (error: string, description?: string) => new CallbackRefusal(callback, error, description);
  const invalid = (description: string) => refused('invalid_request', description);

  const responseType = parameter('response_type');
  if (responseType === undefined) throw invalid('Missing parameter: response_type');
  if (responseType !== 'code') throw refused('unsupported_response_type');
  if (mode !== responseMode) throw invalid('Invalid parameter: response_mode');
  if (!client.standardFlow)
    throw refused('unauthorized_client', `${NO_FLOW} Standard flow is disabled for the client.`);
  const names = [...parameters.keys()];
  if (new Set(names).size < names.length) throw invalid('duplicated parameter');
  const scope = parameter('scope');
  checkScope(client, scope, refused);
  const resource = parameter('resource');
  if (resource !== undefined && !RESOURCE.test(resource)) throw refused('invalid_target', NO_RESOURCE);
  return {
    ...callback,
    client,
    scope,
    nonce: parameter('nonce'),
    challenge: readCodeChallenge(client, parameters, invalid),
    prompt: parameter('prompt')?.split(' ') ?? [],
    level: readRequestedLevel(realm, parameters),
    maxAgeSeconds: parameters.has('max_age') ? Number(parameter('max_age')) : undefined,
    loginHint: parameter('login_hint'),
  };
}

/** Refuses request objects, which this server does not support and must not ignore (OpenID Connect Core §6). */
function clientOf(realm: Realm, parameters: URLSearchParams): RealmClient {
  const ids = parameters.getAll('client_id');
  const isReadable = ids.length === 1 && !parameters.has('request') && !parameters.has('request_uri');
  const maxAge = parameters.get('max_age');
  if (!isReadable || (maxAge !== null && !/^\d{1,9}$/.test(maxAge))) throw new PageRefusal('Invalid Request');
  const client = realm.client(ids[0] ?? '');
  if (client === undefined) throw new PageRefusal('Client not found.');
  if (!client.enabled) throw new PageRefusal('Client disabled.');
  return client;
}

function checkScope(
  client: RealmClient,
  scope: string | undefined,
  refused: (error: string, description: string) => CallbackRefusal,
): void {
  try {
    requestedScopes(client, scope);
  } catch (error) {
    throw error instanceof OAuthRefusal ? refused(error.error, error.description) : error;
  }
}
