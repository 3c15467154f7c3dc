import type { RealmClient, RealmUser } from '../realm/realm-representation.js';
import type { ServerState } from '../state/server-state.js';
import type { Session } from '../state/sessions.js';
import type { Claims } from '../state/signing-keys.js';

export interface LiveToken {
  readonly claims: Claims;
  readonly client: RealmClient;
  readonly user: RealmUser;
  readonly session: Session | undefined;
}

export const findLiveAccessToken = (server: ServerState, token: string): Promise<LiveToken | undefined> =>
  findLiveToken(server, token, ['Bearer']);

export async function findLiveToken(
  server: ServerState,
  token: string,
  kinds: readonly string[],
): Promise<LiveToken | undefined> {
  const claims = await readGoodToken(server, token, kinds);
  const client = server.realm.client(String(claims?.['azp']));
  if (claims === undefined || client?.enabled !== true) return undefined;
  const session = sessionOf(server, claims);
  if (lacksSession(server, claims)) return undefined;
  const user = session?.user ?? server.realm.userById(String(claims['sub']));
  if (user === undefined || predatesLogout(user, claims)) return undefined;
  return user.enabled ? { claims, client, user, session } : undefined;
}

/** Checks signature, issuer, type, expiry, `notBefore` and revocation, but not session and user. */
export async function readGoodToken(
  server: ServerState,
  token: string,
  kinds: readonly string[],
): Promise<Claims | undefined> {
  const claims = await server.keys.read(token);
  if (claims === undefined || !kinds.includes(String(claims['typ'])) || claims['iss'] !== server.issuer)
    return undefined;
  if (isExpired(server, claims) || isStale(server, claims)) return undefined;
  return server.sessions.isRevoked(String(claims['jti'])) ? undefined : claims;
}

export function isStale({ realm }: ServerState, { iat, azp }: Claims): boolean {
  const { notBefore = 0 } = realm.client(String(azp)) ?? {};
  return Number(iat) < Math.max(realm.settings.notBefore, notBefore);
}

export function lacksSession(server: ServerState, claims: Claims): boolean {
  if (claims['sid'] === undefined) return false;
  const session = sessionOf(server, claims);
  return session === undefined || !isOfItsClient(session, claims);
}

export const predatesLogout = ({ notBefore }: RealmUser, { iat }: Claims): boolean => Number(iat) < notBefore;

/** Only a token whose `jti` begins with `on` requires that its client has joined the session. */
const isOfItsClient = ({ clients }: Session, { jti, azp, iat }: Claims): boolean =>
  !String(jti).startsWith('on') || Number(iat) >= (clients.get(String(azp)) ?? Infinity);

/** In Keycloak, a token is still valid at `exp`, contrary to RFC 7519 §4.1.4. */
export const isExpired = ({ clock }: ServerState, { exp }: Claims): boolean => Number(exp) < clock.now();

export const sessionOf = ({ sessions }: ServerState, { sid }: Claims): Session | undefined =>
  typeof sid === 'string' ? sessions.find(sid) : undefined;

export const audiencesOf = ({ aud }: Claims): readonly unknown[] => [aud].flat();
