/** RFC 6749 §3.2. */
import { CLIENT_CREDENTIALS_GRANT, TOKEN_EXCHANGE_GRANT } from '../grants/identifiers.js';
import { authorizationCodeGrant } from '../grants/authorization-code-grant.js';
import type { CountedGrant } from '../http/call-counter.js';
import { authenticateClient } from '../grants/client-authentication.js';
import { clientCredentialsGrant, passwordGrant, refreshTokenGrant, type Grant } from '../grants/grants.js';
import { json, parameter, type HttpAnswer, type HttpCall } from '../http/http-call.js';
import { OAuthRefusal } from '../grants/oauth-refusal.js';
import type { ServerState } from '../state/server-state.js';
import { tokenExchangeGrant } from '../grants/token-exchange.js';

const GRANTS: ReadonlyMap<string, { readonly grant: Grant; readonly name: CountedGrant }> = new Map([
  ['authorization_code', { grant: authorizationCodeGrant, name: 'authorization_code' }],
  [CLIENT_CREDENTIALS_GRANT, { grant: clientCredentialsGrant, name: 'client_credentials' }],
  ['password', { grant: passwordGrant, name: 'password' }],
  ['refresh_token', { grant: refreshTokenGrant, name: 'refresh_token' }],
  [TOKEN_EXCHANGE_GRANT, { grant: tokenExchangeGrant, name: 'token_exchange' }],
]);

export const GRANT_TYPES: readonly string[] = [...GRANTS.keys()];

export async function tokenEndpoint(server: ServerState, call: HttpCall): Promise<HttpAnswer> {
  const grantType = parameter(call, 'grant_type');
  if (grantType === undefined) throw new OAuthRefusal(400, 'invalid_request', 'Missing form parameter: grant_type');
  const found = GRANTS.get(grantType);
  if (found === undefined) throw new OAuthRefusal(400, 'unsupported_grant_type', 'Unsupported grant_type');
  const client = authenticateClient(server, call, { repeatable: ['audience'] });
  return json(200, await found.grant(server, client, call));
}

export const grantNameOf = (call: HttpCall): CountedGrant =>
  GRANTS.get(parameter(call, 'grant_type') ?? '')?.name ?? 'other';
