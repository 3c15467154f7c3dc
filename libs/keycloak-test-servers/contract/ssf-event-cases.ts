import { codeOf } from './login-browser.js';
import { claimsOf } from './demo-realm.js';
import type { ContractCase } from './expectations.js';
import { loginByCode } from './expected-events.js';
import { credentialChange, sessionRevoked } from './expected-signals.js';
import { isActive } from './observations.js';
import { signalsOf, withReceiver } from './receivers.js';
import { chainOf, introspect, login, logout, textOf, type Reply } from './requests.js';
import { HOME, type ContractServer } from './server.js';

const LOGOUT = '/protocol/openid-connect/logout';

const sidOf = (reply: Reply): unknown => claimsOf(textOf(reply))['sid'];

const logOut = (own: ContractServer, reply: Reply) => logout(own, textOf(reply, 'refresh_token'));

const resetPassword = async (own: ContractServer, username: string, value: string): Promise<number> => {
  const path = `/users/${await own.subjectOf(username)}/reset-password`;
  return own.administrator.statusOf('PUT', path, { body: { type: 'password', value, temporary: false } });
};

export type LogoutParameters = (client: string, tokens: Reply) => Readonly<Record<string, string>>;

export async function logOutInBrowser(
  server: ContractServer,
  more: LogoutParameters,
): Promise<{ readonly sub: unknown; readonly sid: unknown; readonly isActive: unknown }> {
  const { username, client, browser, redeem } = await loginByCode(server);
  const tokens = await redeem(codeOf(await browser.login(client, username)));
  const page = await browser.get(`${LOGOUT}?${new URLSearchParams(more(client, tokens))}`);
  if (page.text.includes('session_code')) await browser.submit(page, { confirmLogout: 'yes' });
  const { sub, sid } = claimsOf(textOf(tokens));
  return { sub, sid, isActive: isActive(await introspect(server, 'service-a', textOf(tokens))) };
}

export const SSF_EVENT_CASES: readonly ContractCase[] = [
  signalsOf(
    'a logout with a refresh token, by one event that names the session',
    async (own, username) => {
      const tokens = await login(own, username);
      await logOut(own, tokens);
      await logOut(own, tokens);
      return { '<sid>': sidOf(tokens) };
    },
    [sessionRevoked('<sid>')],
  ),
  signalsOf(
    'a logout, by an event with the sid that exchanged tokens also have',
    async (own, username) => {
      const chain = await chainOf(own, username);
      await logOut(own, chain.login);
      return { '<sid>': claimsOf(chain.atC)['sid'] };
    },
    [sessionRevoked('<sid>')],
  ),
  signalsOf(
    'the end of several sessions, by one event for each session in the order of the logouts',
    async (own, username) => {
      const [first, second] = [await login(own, username), await login(own, username)];
      await logOut(own, second);
      await logOut(own, first);
      return { '<first>': sidOf(first), '<second>': sidOf(second) };
    },
    [sessionRevoked('<second>'), sessionRevoked('<first>')],
  ),
  signalsOf(
    'a logout in a browser that returns to the client',
    async (own) => {
      const { sub, sid } = await logOutInBrowser(own, (_, tokens) => ({
        id_token_hint: textOf(tokens, 'id_token'),
        post_logout_redirect_uri: HOME,
      }));
      return { '<sub>': sub, '<sid>': sid };
    },
    [sessionRevoked('<sid>')],
  ),
  signalsOf(
    'a logout in a browser that the user confirms and that returns to the client',
    async (own) => {
      const { sub, sid } = await logOutInBrowser(own, (client) => ({
        client_id: client,
        post_logout_redirect_uri: HOME,
      }));
      return { '<sub>': sub, '<sid>': sid };
    },
    [sessionRevoked('<sid>')],
  ),
  signalsOf(
    'a user whom an administrator logs out, by one event for all sessions, even if the user has no session',
    async (own, username) => {
      await own.logOutUser(username);
      await login(own, username);
      await login(own, username);
      await own.logOutUser(username);
      return {};
    },
    [sessionRevoked('ALL'), sessionRevoked('ALL')],
  ),
  signalsOf(
    'a password that an administrator resets',
    async (own, username) => {
      await resetPassword(own, username, 'another');
      return {};
    },
    [credentialChange],
  ),
  signalsOf(
    'no password reset that Keycloak refuses',
    async (own, username) => {
      await resetPassword(own, username, '');
      return {};
    },
    [],
  ),
  {
    title: 'a logout, although the session has already ended when the receiver polls',
    ask: (server) =>
      withReceiver(server, {}, async ({ polled }, own) => {
        const tokens = await login(own, 'alice');
        await logOut(own, tokens);
        return [await polled(), isActive(await introspect(own, 'service-a', textOf(tokens)))];
      }),
    answer: [['session-revoked'], false],
  },
  {
    title: 'a logout, and each receiver gets a separate event',
    ask: (server) =>
      withReceiver(server, {}, (one) =>
        withReceiver(server, {}, async (other, own) => {
          await logOut(own, await login(own, 'alice'));
          const [ofOne, ofOther] = [await one.poll(), await other.poll()];
          await one.poll({ ack: Object.keys(ofOne.sets) });
          const ids = [...Object.keys(ofOne.sets), ...Object.keys(ofOther.sets)];
          return [new Set(ids).size, await one.polled(), await other.polled()];
        }),
      ),
    answer: [2, [], ['session-revoked']],
  },
  {
    title: 'no logout if the stream does not request logout events',
    ask: (server) =>
      withReceiver(server, {}, async ({ polled, changeAttributes }, own) => {
        const logins = async (requested: string): Promise<readonly string[]> => {
          await changeAttributes({ 'ssf.stream.eventsRequested': requested });
          await logOut(own, await login(own, 'alice'));
          return polled();
        };
        return [
          await logins('CaepCredentialChange'),
          await logins('https://schemas.openid.net/secevent/caep/event-type/session-revoked, urn:unknown'),
          await logins(''),
        ];
      }),
    answer: [[], ['session-revoked'], ['session-revoked', 'session-revoked']],
  },
  {
    title: 'no logout if the client is disabled or no receiver, or if the stream has no delivery method or no audience',
    ask: (server) =>
      withReceiver(server, {}, async ({ polled, changeAttributes }, own) => {
        const without = async (changes: Readonly<Record<string, string>>, others: object = {}): Promise<void> => {
          await changeAttributes(changes, others);
          await logOut(own, await login(own, 'alice'));
        };
        await without({ 'ssf.enabled': 'false' });
        await without({ 'ssf.enabled': 'true' }, { enabled: false });
        await without({ 'ssf.stream.delivery.method': '' }, { enabled: true });
        await without({ 'ssf.stream.delivery.method': 'urn:ietf:rfc:8936', 'ssf.stream.aud': '' });
        const before = await polled();
        await without({ 'ssf.stream.aud': 'the-audience' });
        return [before, await polled()];
      }),
    answer: [[], ['session-revoked']],
  },
];
