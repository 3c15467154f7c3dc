import type { ContractCase } from './expectations.js';
import { STREAMS, withReceiver, type OfReceiver } from './receivers.js';
import { login, logout, textOf } from './requests.js';
import type { ContractServer } from './server.js';
import { setStatus } from './ssf-status-cases.js';

const logInAndOut = async (own: ContractServer, username: string): Promise<void> => {
  await logout(own, textOf(await login(own, username), 'refresh_token'));
};

const notifiedOf = (
  title: string,
  of: OfReceiver,
  notify: string | undefined,
  answer: readonly string[],
): ContractCase => ({
  title,
  ask: (server) =>
    withReceiver(server, of, async ({ clientId, polled }, own) => {
      const username = await own.newUser('order-manager');
      if (notify !== undefined) {
        await own.changeUser(username, { attributes: { [`ssf.notify.${clientId}`]: [notify] } });
      }
      await logInAndOut(own, username);
      await own.logOutUser(username);
      return polled();
    }),
  answer,
});

const defaultSubjects = (value: string): OfReceiver => ({ attributes: { 'ssf.defaultSubjects': value } });
const BOTH = ['session-revoked', 'session-revoked'];

export const SSF_SUBJECT_CASES: readonly ContractCase[] = [
  notifiedOf('all users', defaultSubjects('ALL'), undefined, BOTH),
  notifiedOf('all users except an excluded user', defaultSubjects('ALL'), 'false', []),
  notifiedOf('all users, including a user with the attribute for this receiver', defaultSubjects('all'), 'true', BOTH),
  notifiedOf('nobody', defaultSubjects('NONE'), undefined, []),
  notifiedOf('no user if the client has no setting', defaultSubjects(''), undefined, []),
  notifiedOf('only a user with the attribute for this receiver', defaultSubjects('NONE'), 'true', BOTH),
  notifiedOf('no user, even if a user is excluded', defaultSubjects('NONE'), 'false', []),
  {
    title: 'the users whom the client attribute selects; after a change of the stream, the stored value applies',
    ask: (server) =>
      withReceiver(server, defaultSubjects('NONE'), async (receiver, own) => {
        const { ask, polled, changeAttributes } = receiver;
        const told = async (value: string): Promise<unknown> => {
          await changeAttributes({ 'ssf.defaultSubjects': value });
          await logInAndOut(own, 'alice');
          const [stream] = JSON.parse((await ask('GET', STREAMS)).text) as { default_subjects?: string }[];
          return [stream?.default_subjects, await polled()];
        };
        const before = [await told('ALL'), await told('NONE')];
        await setStatus(receiver, 'paused');
        await setStatus(receiver, 'enabled');
        return [...before, await told('ALL')];
      }),
    answer: [
      ['ALL', ['session-revoked']],
      ['NONE', ['session-revoked']],
      ['NONE', ['session-revoked', 'stream-updated', 'stream-updated']],
    ],
  },
];
