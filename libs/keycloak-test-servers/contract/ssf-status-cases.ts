import type { ContractCase } from './expectations.js';
import { streamUpdated } from './expected-signals.js';
import { shownSets, ssfAnswer, STATUS, withReceiver, type Receiver } from './receivers.js';
import { login, logout, textOf } from './requests.js';
import type { ContractServer } from './server.js';

const NO_ID = [400, { error: 'stream_error', error_description: 'Stream ID is required' }];
const FAILED = [
  500,
  {
    error: 'HTTP 500 Internal Server Error',
    error_description: 'For more on this error consult the server log.',
  },
];

export const setStatus = async ({ ask, streamId }: Receiver, status: unknown, others: object = {}): Promise<unknown> =>
  ssfAnswer(await ask('POST', STATUS, { stream_id: streamId, status, ...others }), { '<stream>': streamId });

const getStatus = async ({ ask, streamId }: Receiver): Promise<unknown> =>
  ssfAnswer(await ask('GET', `${STATUS}?stream_id=${streamId}`), { '<stream>': streamId });

export const logInAndOut = async (own: ContractServer): Promise<void> => {
  await logout(own, textOf(await login(own, 'alice'), 'refresh_token'));
};

const is = (status: string, others: object = {}) => [200, { stream_id: '<stream>', status, ...others }];

export const SSF_STATUS_CASES: readonly ContractCase[] = [
  {
    title: 'is the value of the attribute, and the receiver can change the status with a reason',
    ask: (server) =>
      withReceiver(server, {}, async (receiver) => [
        await getStatus(receiver),
        await setStatus(receiver, 'paused', { reason: 'upkeep' }),
        await getStatus(receiver),
        await setStatus(receiver, 'paused', { reason: 'another' }),
        await setStatus(receiver, 'enabled'),
        await getStatus(receiver),
      ]),
    answer: [
      is('enabled'),
      is('paused', { reason: 'upkeep' }),
      is('paused', { reason: 'upkeep' }),
      is('paused', { reason: 'upkeep' }),
      is('enabled'),
      is('enabled'),
    ],
  },
  {
    title: 'is reported to the receiver after each change',
    ask: (server) =>
      withReceiver(server, {}, async (receiver, own) => {
        await setStatus(receiver, 'paused', { reason: 'upkeep' });
        await setStatus(receiver, 'paused', { reason: 'another' });
        const paused = await receiver.poll();
        await receiver.poll({ ack: Object.keys(paused.sets) });
        await setStatus(receiver, 'disabled');
        const names = { '<stream>': receiver.streamId };
        return [await shownSets(own, paused, names), await shownSets(own, await receiver.poll(), names)];
      }),
    answer: [
      [streamUpdated({ status: 'paused', reason: 'upkeep' }, { reason: 'upkeep' })],
      [streamUpdated({ status: 'disabled' })],
    ],
  },
  {
    title: 'paused: all unacknowledged events are held, and are delivered in order after the stream is enabled',
    ask: (server) =>
      withReceiver(server, {}, async (receiver, own) => {
        await receiver.verify('first');
        await logInAndOut(own);
        await setStatus(receiver, 'paused');
        await logInAndOut(own);
        const paused = await receiver.polled();
        await receiver.verify('second');
        const verified = await receiver.polled();
        await setStatus(receiver, 'enabled');
        return [paused, verified, await receiver.polled()];
      }),
    answer: [
      ['stream-updated'],
      ['stream-updated', 'second'],
      ['first', 'session-revoked', 'stream-updated', 'session-revoked', 'second', 'stream-updated'],
    ],
  },
  {
    title: "paused: a held event can't be acknowledged",
    ask: (server) =>
      withReceiver(server, {}, async (receiver) => {
        await receiver.verify('first');
        const ack = Object.keys((await receiver.poll()).sets);
        await setStatus(receiver, 'paused');
        await receiver.poll({ ack });
        await setStatus(receiver, 'enabled');
        return receiver.polled();
      }),
    answer: ['first', 'stream-updated', 'stream-updated'],
  },
  {
    title: 'disabled: new and held events are lost, but a verification is delivered',
    ask: (server) =>
      withReceiver(server, {}, async (receiver, own) => {
        await logInAndOut(own);
        await setStatus(receiver, 'paused');
        await logInAndOut(own);
        await setStatus(receiver, 'disabled');
        await logInAndOut(own);
        await receiver.verify('first');
        const disabled = await receiver.polled();
        await setStatus(receiver, 'enabled');
        return [disabled, await receiver.polled()];
      }),
    answer: [
      ['stream-updated', 'first'],
      ['stream-updated', 'first', 'stream-updated'],
    ],
  },
  {
    title:
      'changed in the attribute: the receiver is not notified, and held events wait until the receiver enables the stream',
    ask: (server) =>
      withReceiver(server, {}, async (receiver, own) => {
        await receiver.changeAttributes({ 'ssf.stream.status': 'paused' });
        await logInAndOut(own);
        const paused = [await getStatus(receiver), await receiver.polled()];
        await receiver.changeAttributes({ 'ssf.stream.status': 'enabled' });
        const enabled = await receiver.polled();
        await setStatus(receiver, 'paused');
        await setStatus(receiver, 'enabled');
        return [paused, enabled, await receiver.polled()];
      }),
    answer: [[is('paused'), []], [], ['session-revoked', 'stream-updated', 'stream-updated']],
  },
  {
    title: 'missing in the attributes: a request fails, although events are delivered',
    ask: (server) =>
      withReceiver(server, { attributes: { 'ssf.stream.status': '' } }, async (receiver, own) => {
        await logInAndOut(own);
        return [await getStatus(receiver), await setStatus(receiver, 'paused'), await receiver.polled()];
      }),
    answer: [FAILED, FAILED, ['session-revoked']],
  },
  {
    title: 'is refused if the value is unknown or missing, or if the request names no stream',
    ask: (server) =>
      withReceiver(server, {}, async (receiver) => [
        await setStatus(receiver, 'gone'),
        await setStatus(receiver, undefined),
        ssfAnswer(await receiver.ask('POST', STATUS, { status: 'paused' })),
        ssfAnswer(await receiver.ask('GET', STATUS)),
        await getStatus(receiver),
      ]),
    answer: [FAILED, FAILED, NO_ID, NO_ID, is('enabled')],
  },
];
