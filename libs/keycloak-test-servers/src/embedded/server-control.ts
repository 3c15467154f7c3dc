/** What a test can do to a running server: count, move time, make it fail, and act as its administrator. */
import { decodeJwt } from 'jose';
import type { AdjustableClock } from './adjustable-clock.js';
import type { CallCounter } from './http/call-counter.js';
import type { Fault, FaultBoard, FaultyEndpoint } from './http/fault.js';
import { logOut } from './browser/backchannel-logout.js';
import type { LastRequests, ReceivedRequest } from './http/last-requests.js';
import { logoutToken, type BentLogoutToken } from './browser/logout-token.js';
import type { RealmClient, RealmUser } from './realm/realm-representation.js';
import type { ServerState } from './server-state.js';

/** Whom a logout token is about. `sid` need not be that of a session. */
export interface AboutLogout {
  readonly username: string;
  readonly sid: string;
}

export interface AuthorizationServerControl {
  readonly calls: CallCounter;
  /** The last request to that endpoint, however it was answered. */
  lastRequest(endpoint: FaultyEndpoint): ReceivedRequest | undefined;
  readonly clock: Pick<AdjustableClock, 'now' | 'advance' | 'setAhead'>;
  /** Makes one endpoint or all of them fail from the next call on; `undefined` takes that back. */
  fault(endpoint: FaultyEndpoint | 'all', fault: Fault | undefined): void;

  /** From now on a new key signs, as when an administrator adds one with a higher priority. The former ones stay published. */
  rotateSigningKeys(): Promise<void>;

  /** As `POST …/revoke` by the token's client: this access token only, not those exchanged for it. */
  revokeToken(accessToken: string): void;
  /** `sid` is in the tokens. Nothing is sent to anybody, as when a session is lost. */
  endSession(sid: string): void;
  /** Nothing is sent to anybody, as when an administrator ends all sessions of the realm. */
  endSessionsOf(username: string): void;
  /** As an administrator does with one user: every client is told (back-channel logout) before the session ends. */
  logOutUser(username: string): Promise<void>;
  /** A logout token for `clientId` about this session of this user, sent to nobody. `bent`: what is wrong with it. */
  logoutToken(clientId: string, about: AboutLogout, bent?: BentLogoutToken): Promise<string>;
  /** Sessions stay, and serve again once the user is enabled. The same for a service account, `service-account-<client>`. */
  disableUser(username: string): void;
  enableUser(username: string): void;
  /** It can't authenticate, its tokens are inactive; those exchanged for them by others are not. */
  disableClient(clientId: string): void;
  enableClient(clientId: string): void;
  /** Tokens keep the audience and the scopes that the roles gave them; introspection shows the roles as they are now. */
  setRealmRoles(username: string, roles: readonly string[]): void;
  /** `user`: as in the `users` of a realm export. */
  addUser(user: Readonly<Record<string, unknown>>): void;
  /** `client`: as in the `clients` of a realm export. */
  addClient(client: Readonly<Record<string, unknown>>): void;
}

export function controlOf(
  server: ServerState,
  calls: CallCounter,
  faults: FaultBoard,
  requests: LastRequests,
): AuthorizationServerControl {
  const { realm, sessions, clock, keys } = server;

  const userNamed = (username: string): RealmUser => {
    const user = realm.userNamed(username);
    if (user === undefined) throw new Error(`The realm ${realm.name} has no user ${username}`);
    return user;
  };
  const clientNamed = (clientId: string): RealmClient => {
    const client = realm.client(clientId);
    if (client === undefined) throw new Error(`The realm ${realm.name} has no client ${clientId}`);
    return client;
  };
  const setEnabled = (item: RealmUser | RealmClient, enabled: boolean): void => {
    item.enabled = enabled;
  };

  return {
    calls,
    lastRequest: (endpoint) => requests.of(endpoint),
    clock,
    fault: (endpoint, fault) => faults.set(endpoint, fault),
    rotateSigningKeys: () => keys.rotate(),
    revokeToken: (accessToken) => sessions.revoke(String(decodeJwt(accessToken).jti)),
    endSession: (sid) => sessions.end(sid),
    endSessionsOf: (username) => sessions.endAllOf(userNamed(username)),
    async logOutUser(username) {
      await Promise.all(sessions.allOf(userNamed(username)).map((session) => logOut(server, session)));
    },
    logoutToken: (clientId, { username, sid }, bent) =>
      logoutToken(server, clientNamed(clientId), { sub: userNamed(username).id, sid }, bent),
    disableUser: (username) => setEnabled(userNamed(username), false),
    enableUser: (username) => setEnabled(userNamed(username), true),
    disableClient: (clientId) => setEnabled(clientNamed(clientId), false),
    enableClient: (clientId) => setEnabled(clientNamed(clientId), true),
    setRealmRoles: (username, roles) => {
      userNamed(username).realmRoles = roles;
    },
    addUser: (user) => void realm.addUser(user),
    addClient: (client) => void realm.addClient(client),
  };
}
