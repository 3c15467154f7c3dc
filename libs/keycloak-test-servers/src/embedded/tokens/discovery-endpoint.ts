import { json, type HttpAnswer, type HttpCall } from '../http/http-call.js';
import { protocolPath } from '../realm/realm-paths.js';
import type { Realm } from '../realm/realm.js';
import type { ServerState } from '../state/server-state.js';
import { GRANT_TYPES } from './token-endpoint.js';

const CLIENT_AUTHENTICATION = ['private_key_jwt', 'client_secret_basic', 'client_secret_post'];

/**
 * OpenID Connect Discovery §3, RFC 8414, RFC 9207 §3 and OpenID Connect Back-Channel Logout 1.0 §2.1. Keycloak returns
 * the same document if its options `hostname` and `hostname-backchannel-dynamic` are set.
 */
export function discoveryEndpoint({ issuer, realm, baseUrl }: ServerState, call: HttpCall): HttpAnswer {
  const front = baseUrl + protocolPath(realm.name);
  const back = call.origin + protocolPath(realm.name);
  const document = {
    issuer,
    authorization_endpoint: `${front}/auth`,
    token_endpoint: `${back}/token`,
    introspection_endpoint: `${back}/token/introspect`,
    userinfo_endpoint: `${back}/userinfo`,
    end_session_endpoint: `${front}/logout`,
    jwks_uri: `${back}/certs`,
    revocation_endpoint: `${back}/revoke`,
    grant_types_supported: GRANT_TYPES,
    response_types_supported: ['code'],
    response_modes_supported: ['query', 'fragment'],
    prompt_values_supported: ['none', 'login'],
    code_challenge_methods_supported: ['plain', 'S256'],
    authorization_response_iss_parameter_supported: true,
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    token_endpoint_auth_methods_supported: CLIENT_AUTHENTICATION,
    introspection_endpoint_auth_methods_supported: CLIENT_AUTHENTICATION,
    revocation_endpoint_auth_methods_supported: CLIENT_AUTHENTICATION,
    scopes_supported: scopesOf(realm),
  };
  return json(200, document, { 'cache-control': 'no-cache, must-revalidate, no-transform, no-store' });
}

function scopesOf({ scopes }: Realm): readonly string[] {
  const listed = [...scopes.values()].filter(({ isInMetadata }) => isInMetadata).map(({ name }) => name);
  return [...new Set(['openid', ...listed])];
}

export const jwksEndpoint = ({ keys }: ServerState): HttpAnswer =>
  json(200, keys.jwks, { 'cache-control': 'no-cache' });

export function realmPage({ realm, keys, baseUrl, issuer }: ServerState): HttpAnswer {
  return json(200, {
    realm: realm.name,
    public_key: keys.publicKey,
    'token-service': baseUrl + protocolPath(realm.name),
    'account-service': `${issuer}/account`,
    'tokens-not-before': realm.settings.notBefore,
  });
}
