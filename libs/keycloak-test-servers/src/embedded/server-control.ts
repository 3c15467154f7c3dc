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

/** The user and session of a logout token; the session need not exist. */
export interface AboutLogout {
  readonly username: string;
  readonly sid: string;
}

/** Except for `sendSecurityEvent`, these methods cause no events in the event log or for SSF receivers. */
export interface AuthorizationServerControl {
  readonly calls: CallCounter;
  /** Returns the last request to the endpoint, whatever the answer was. */
  lastRequest(endpoint: FaultyEndpoint): ReceivedRequest | undefined;
  readonly clock: Pick<AdjustableClock, 'now' | 'advance' | 'setAhead'>;
  /** Injects a fault, beginning with the next call; `undefined` removes the fault. */
  fault(endpoint: FaultyEndpoint | 'all', fault: Fault | undefined): void;

  /** Makes the server sign with a new key; the old keys stay published. */
  rotateSigningKeys(): Promise<void>;

  /** Revokes an access token like `POST …/revoke`. Tokens that were exchanged for this token stay active. */
  revokeToken(accessToken: string): void;
  /** Ends the session with this `sid`, and does not notify clients. */
  endSession(sid: string): void;
  /** Ends all sessions of a user, and does not notify clients. */
  endSessionsOf(username: string): void;
  /** Sends a back-channel logout to the clients of the user's sessions, and then ends these sessions. */
  logOutUser(username: string): Promise<void>;
  /** Returns, but does not send, a logout token for `clientId`. */
  logoutToken(clientId: string, about: AboutLogout, overrides?: TokenOverrides): Promise<string>;
  /**
   * Queues a security event token, even if the receiver's stream does not request the event. Returns the id for polls
   * and acknowledgements, even if `overrides` change the claim `jti`.
   */
  sendSecurityEvent(clientId: string, event: SecurityEvent, overrides?: TokenOverrides): string;
  /**
   * Disables a user or a service account (`service-account-<client>`). All sessions are valid again when the user is
   * enabled.
   */
  disableUser(username: string): void;
  enableUser(username: string): void;
  /**
   * Prevents the client's authentication, and makes the client's tokens inactive. Exchanged tokens of other clients
   * stay active.
   */
  disableClient(clientId: string): void;
  enableClient(clientId: string): void;
  /**
   * Existing tokens keep the audience and the scopes, but introspection shows the
   * new roles.
   */
  setRealmRoles(username: string, roles: readonly string[]): void;
  /** `user` has the format of `users` in a realm export. */
  addUser(user: Readonly<Record<string, unknown>>): void;
  /** `client` has the format of `clients` in a realm export. */
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
