/** RFC 6749 §5.1. */
import { createHash, randomUUID } from 'node:crypto';
import type { GrantedClaims } from './granted-claims.js';
import type { RealmClient } from '../realm/realm-representation.js';
import type { ServerState } from '../state/server-state.js';
import type { Session } from '../state/sessions.js';

export interface Issue {
  readonly client: RealmClient;
  readonly granted: GrantedClaims;
  /** Keycloak's prefix of `jti` encodes the session type, token type and grant. */
  readonly idPrefix: 'trrtcc' | 'onrtro' | 'onrtac' | 'onrtrt' | 'onrtte' | 'ntrtte' | 'trrtte';
  readonly session?: Session | undefined;
  readonly nonce?: string | undefined;
}

export type TokenMembers = Readonly<Record<string, unknown>>;

export async function accessTokenAnswer(server: ServerState, issue: Issue): Promise<TokenMembers> {
  const { client, granted } = issue;
  const times = timesOf(server, issue);
  const claims = {
    ...times,
    jti: `${idPrefixOf(issue)}:${randomUUID()}`,
    iss: server.issuer,
    ...(client.isLightweight ? { scope: granted.scope } : granted.access),
    typ: 'Bearer',
    azp: client.clientId,
    ...sidOf(issue),
  };
  const access_token = await server.keys.sign(claims, client.headerTyp);
  const id_token = granted.hasOpenid ? await idToken(server, issue, access_token) : undefined;
  return {
    access_token,
    ...membersOf(server, issue, times),
    token_type: 'Bearer',
    ...(id_token === undefined ? {} : { id_token }),
  };
}

const idPrefixOf = ({ client, idPrefix }: Issue): string =>
  client.isLightweight ? idPrefix.replace(/^(..)rt/, '$1lt') : idPrefix;

/** The refresh token keeps the scope of the login. */
export async function sessionAnswer(
  server: ServerState,
  issue: Issue & { readonly session: Session },
  refreshScope: string,
): Promise<TokenMembers> {
  const { session, client } = issue;
  server.sessions.touch(session);
  const iat = server.clock.now();
  const refresh_expires_in = server.sessions.secondsLeft(session);
  const refresh_token = await server.keys.signForSelf({
    exp: iat + refresh_expires_in,
    iat,
    jti: randomUUID(),
    iss: server.issuer,
    aud: server.issuer,
    sub: session.user.id,
    typ: 'Refresh',
    azp: client.clientId,
    sid: session.sid,
    scope: refreshScope,
  });
  return { ...(await accessTokenAnswer(server, issue)), refresh_expires_in, refresh_token };
}

/** Returns an exchanged ID token, whose `token_type` is `N_A` (RFC 8693 §2.2.1). */
export async function idTokenAnswer(server: ServerState, issue: Issue): Promise<TokenMembers> {
  const access_token = await idToken(server, issue);
  return { access_token, ...membersOf(server, issue, timesOf(server, issue)), token_type: 'N_A' };
}

function idToken(server: ServerState, issue: Issue, accessToken?: string): Promise<string> {
  const { clientId } = issue.client;
  const claims = {
    ...timesOf(server, issue),
    jti: randomUUID(),
    iss: server.issuer,
    aud: clientId,
    ...issue.granted.id,
    typ: 'ID',
    azp: clientId,
    ...(issue.nonce === undefined ? {} : { nonce: issue.nonce }),
    ...sidOf(issue),
    ...(accessToken === undefined ? {} : { at_hash: halfHash(accessToken) }),
  };
  return server.keys.sign(claims, 'JWT');
}

const membersOf = ({ realm }: ServerState, issue: Issue, { exp, iat }: { exp: number; iat: number }) => ({
  expires_in: exp - iat,
  refresh_expires_in: 0,
  'not-before-policy': Math.max(realm.settings.notBefore, issue.client.notBefore, issue.session?.user.notBefore ?? 0),
  ...(issue.session === undefined ? {} : { session_state: issue.session.sid }),
  scope: issue.granted.scope,
});

const sidOf = ({ session }: Issue) => (session === undefined ? {} : { sid: session.sid });

function timesOf({ realm, clock, sessions }: ServerState, { client, session }: Issue): { exp: number; iat: number } {
  const iat = clock.now();
  const exp = iat + (client.accessTokenSeconds ?? realm.settings.accessTokenLifespan);
  return { exp: session === undefined ? exp : Math.min(exp, sessions.latestEnd(session)), iat };
}

/** Returns the `at_hash` of a token (OpenID Connect Core §3.1.3.6). */
const halfHash = (token: string): string =>
  createHash('sha256').update(token).digest().subarray(0, 16).toString('base64url');
