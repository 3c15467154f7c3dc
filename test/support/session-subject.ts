import { claimsOf } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { isActive } from '../../libs/keycloak-test-servers/contract/observations.js';
import {
  introspect,
  login,
  logout,
  refresh,
  revoke,
  textOf,
  type Reply,
} from '../../libs/keycloak-test-servers/contract/requests.js';
import type { ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { until } from './until.js';

export interface SessionSubject {
  readonly username: string;
  readonly sid: string;
  readonly client: string;
  readonly access: string;
  readonly refresh: string;
  readonly path: string;
}

export type MakeSubject = (server: ContractServer) => Promise<SessionSubject>;
export type Act = (subject: SessionSubject, server: ContractServer) => Promise<unknown>;

export function subjectOf(username: string, tokens: Reply): SessionSubject {
  const access = textOf(tokens);
  const { sub, sid, azp } = claimsOf(access) as Readonly<Record<'sub' | 'sid' | 'azp', string>>;
  return { username, sid, client: azp, access, refresh: textOf(tokens, 'refresh_token'), path: `/users/${sub}` };
}

export async function newSubject(
  server: ContractServer,
  { client, scope }: { readonly client?: string; readonly scope?: string } = {},
): Promise<SessionSubject> {
  const username = await server.newUser('order-manager');
  return subjectOf(username, await login(server, username, scope, client));
}

export const isActiveAtKeycloak = async (server: ContractServer, access: string): Promise<boolean> =>
  isActive(await introspect(server, 'service-a', access)) === true;

export const change =
  (method: 'POST' | 'PUT' | 'DELETE', below = '', body?: object): Act =>
  ({ path }, { administrator }) =>
    administrator.change(method, path + below, body);

export const logOut: Act = (subject, server) => logout(server, subject.refresh);

export const endSession: Act = ({ sid }, { administrator }) => administrator.change('DELETE', `/sessions/${sid}`);

export const endAllSessions: Act = (_, { administrator }) => administrator.change('POST', '/logout-all');

export const revokeRefreshToken: Act = (subject, server) =>
  revoke(server, undefined, subject.refresh, { client_id: subject.client });

export const revokeAccessToken: Act = ({ access, client }, server) =>
  revoke(server, undefined, access, { client_id: client });

/** Refresh tokens are one-time tokens, so a second use ends the client's session. */
export const refreshTwice: Act = async (subject, server) => {
  const use = () => refresh(server, subject.refresh, { client_id: subject.client });
  await use();
  await use();
};

const resetPassword = { type: 'password', value: 'another', temporary: false };

export const replacePassword = change('PUT', '/reset-password', resetPassword);

export const takeRole: Act = ({ username }, server) => server.takeRole(username, 'order-manager');

const guessWrong: Act = ({ username }, server) => login(server, username, 'openid', 'demo-cli', 'a wrong password');

export const lockForGood: Act = async (subject, server) => {
  const { administrator } = server;
  await administrator.change('PUT', '', { permanentLockout: true, failureFactor: 1 });
  try {
    await guessWrong(subject, server);
    const isLocked = async () => !(await administrator.read<{ readonly enabled: boolean }>(subject.path)).enabled;
    await until(isLocked, 'the user is locked');
  } finally {
    await administrator.change('PUT', '', { permanentLockout: false, failureFactor: 10 });
  }
};

/** Guesses ten times before each login, because a successful login resets the number of wrong guesses. */
export const lockForAWhile: Act = async (subject, server) => {
  const isLocked = async (): Promise<boolean> => {
    for (let guesses = 0; guesses < 10; guesses += 1) await guessWrong(subject, server);
    return (await login(server, subject.username)).status !== 200;
  };
  await until(isLocked, 'the user is locked');
};
