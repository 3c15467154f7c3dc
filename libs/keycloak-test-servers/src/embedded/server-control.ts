/** AuthorizationServerControl: a test counts calls, moves the clock, sets faults and acts as administrator. */
import { decodeJwt } from 'jose';
import type { AdjustableClock } from './state/adjustable-clock.js';
import type { CallCounter } from './http/call-counter.js';
import type { Fault, FaultBoard, FaultyEndpoint } from './http/fault.js';
import { logOut } from './grants/backchannel-logout.js';
import type { LastRequests, ReceivedRequest } from './http/last-requests.js';
import { logoutToken } from './grants/logout-token.js';
import type { RealmClient, RealmUser } from './realm/realm-representation.js';
import { putIntoOutbox, type SecurityEvent } from './streams/security-event-token.js';
import { streamOf } from './streams/stream.js';
import type { TokenOverrides } from './state/forged-token.js';
import type { ServerState } from './state/server-state.js';

/** The user and session that a logout token is about. `sid` need not belong to a session. */
export interface AboutLogout {
  readonly username: string;
  readonly sid: string;
}

/** What is done here is neither in the server's event log nor told to receivers of shared signals: an event tells what somebody did by HTTP. */
export interface AuthorizationServerControl {
  readonly calls: CallCounter;
  /** The last request to that endpoint, whatever the answer was. */
  lastRequest(endpoint: FaultyEndpoint): ReceivedRequest | undefined;
  readonly clock: Pick<AdjustableClock, 'now' | 'advance' | 'setAhead'>;
  /** Sets a fault for one endpoint or all of them, from the next call on; `undefined` removes it. */
  fault(endpoint: FaultyEndpoint | 'all', fault: Fault | undefined): void;

  /** Signs with a new key from now on, as if an administrator had added one with a higher priority. Old keys stay published. */
  rotateSigningKeys(): Promise<void>;

  /** Revokes an access token, as `POST …/revoke` by its client does, but not the tokens exchanged for it. */
  revokeToken(accessToken: string): void;
  /** Ends the session with this `sid` and notifies no client, as when a session is lost. */
  endSession(sid: string): void;
  /** Ends all sessions of a user and notifies no client, as when an administrator ends all sessions of the realm. */
  endSessionsOf(username: string): void;
  /** Logs a user out as an administrator does: every client receives a back-channel logout before the session ends. */
  logOutUser(username: string): Promise<void>;
  /** Makes a logout token for `clientId` about this session of this user, and does not send it. */
  logoutToken(clientId: string, about: AboutLogout, overrides?: TokenOverrides): Promise<string>;
  /**
   * Puts a security event token into the outbox of a receiver, correct or forged, whatever its stream asks for. Returns the `jti` by which
   * polls show it.
   */
  sendSecurityEvent(clientId: string, event: SecurityEvent, overrides?: TokenOverrides): string;
  /** Sessions are kept, and work again once the user is enabled. A service account is `service-account-<client>`. */
  disableUser(username: string): void;
  enableUser(username: string): void;
  /** The client can't authenticate, and its tokens become inactive. Tokens that other clients exchanged them for stay active. */
  disableClient(clientId: string): void;
  enableClient(clientId: string): void;
  /** Existing tokens keep the audience and scopes that the roles gave them; introspection shows the new roles. */
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
    logoutToken: (clientId, { username, sid }, overrides) =>
      logoutToken(server, clientNamed(clientId), { sub: userNamed(username).id, sid }, overrides),
    sendSecurityEvent(clientId, event, overrides = {}) {
      const client = clientNamed(clientId);
      const stream = streamOf(client);
      if (stream === undefined) throw new Error(`The client ${clientId} has no stream`);
      return putIntoOutbox(server, { client, stream }, event, { overrides });
    },
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
