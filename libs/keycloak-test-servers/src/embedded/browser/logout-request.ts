import { PageRefusal } from './browser-refusal.js';
import { withQuery } from './callback.js';
import type { RealmClient } from '../realm/realm-representation.js';
import type { ServerState } from '../state/server-state.js';
import type { Claims } from '../state/signing-keys.js';

export interface LogoutRequest {
  readonly hint: Claims | undefined;
  readonly client: RealmClient | undefined;
  readonly postLogoutRedirectUri: string | undefined;
  readonly returnTo: string | undefined;
}

export async function readLogoutRequest(server: ServerState, parameters: URLSearchParams): Promise<LogoutRequest> {
  const [hintText, clientId, uri, state] = ['id_token_hint', 'client_id', 'post_logout_redirect_uri', 'state'].map(
    (name) => parameters.get(name) ?? undefined,
  );
  if (uri !== undefined && hintText === undefined && clientId === undefined) {
    throw new PageRefusal('Missing parameters: id_token_hint');
  }
  const hint = hintText === undefined ? undefined : await readHint(server, hintText, clientId);
  const client = server.realm.client(clientId ?? String(hint?.['azp']));
  if (uri === undefined) return { hint, client, postLogoutRedirectUri: undefined, returnTo: undefined };
  if (client?.postLogoutRedirectUris.includes(uri) !== true) throw new PageRefusal('Invalid redirect uri');
  return { hint, client, postLogoutRedirectUri: uri, returnTo: withQuery(uri, { state }) };
}

async function readHint({ keys, issuer }: ServerState, text: string, clientId: string | undefined): Promise<Claims> {
  const claims = await keys.read(text);
  const isGood = claims?.['typ'] === 'ID' && claims['iss'] === issuer;
  if (isGood && (clientId === undefined || clientId === claims['azp'])) return claims;
  throw new PageRefusal('Invalid parameter: id_token_hint');
}
