/** Whether a token still counts: signed here, not expired, not revoked, its session, user and client all there. */
import type { RealmClient, RealmUser } from '../realm/realm-representation.js';
import type { ServerState } from '../server-state.js';
import type { Session } from '../sessions.js';
import type { Claims } from './signing-keys.js';

export interface LiveToken {
  readonly claims: Claims;
  /** Its `azp`. */
  readonly client: RealmClient;
  readonly user: RealmUser;
  /** None for a service account. */
  readonly session: Session | undefined;
}

export const findLiveAccessToken = (server: ServerState, token: string): Promise<LiveToken | undefined> =>
  findLiveToken(server, token, ['Bearer']);

/** `kinds`: which `typ` it may have. */
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
  if (user === undefined || isOfBefore(user, claims)) return undefined;
  return user.enabled ? { claims, client, user, session } : undefined;
}

/** The claims of a token as such: signed here, of this issuer, neither expired nor revoked. */
export async function readGoodToken(
  server: ServerState,
  token: string,
  kinds: readonly string[],
): Promise<Claims | undefined> {
  const claims = await server.keys.read(token);
  if (claims === undefined || !kinds.includes(String(claims['typ'])) || claims['iss'] !== server.issuer)
    return undefined;
  return isExpired(server, claims) || server.sessions.isRevoked(String(claims['jti'])) ? undefined : claims;
}

/** Whether it had a session, and that has ended, or its client has left it. */
export function lacksSession(server: ServerState, claims: Claims): boolean {
  if (claims['sid'] === undefined) return false;
  const session = sessionOf(server, claims);
  return session === undefined || !isOfItsClient(session, claims);
}

/** Whether its user was logged out since, by an administrator. */
export const isOfBefore = ({ notBefore }: RealmUser, { iat }: Claims): boolean => Number(iat) < notBefore;

/** A token that was exchanged by a client that takes no part in the session stands on the session alone. */
const isOfItsClient = ({ clients }: Session, { jti, azp, iat }: Claims): boolean =>
  !String(jti).startsWith('on') || Number(iat) >= (clients.get(String(azp)) ?? Infinity);

/** The second that `exp` names still counts, against RFC 7519 §4.1.4: so it is in Keycloak. */
export const isExpired = ({ clock }: ServerState, { exp }: Claims): boolean => Number(exp) < clock.now();

export const sessionOf = ({ sessions }: ServerState, { sid }: Claims): Session | undefined =>
  typeof sid === 'string' ? sessions.find(sid) : undefined;

export const audiencesOf = ({ aud }: Claims): readonly unknown[] => [aud].flat();
