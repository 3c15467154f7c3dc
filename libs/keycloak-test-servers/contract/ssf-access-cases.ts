import type { ContractCase } from './expectations.js';
import { inTurn, ssfAnswer, STATUS, STREAMS, VERIFY, withReceiver, type Receiver } from './receivers.js';
import { clientCredentials, login, revoke, textOf, token } from './requests.js';
import { RECEIVER_SECRET } from './signalling-realm.js';

/** Each request that asks for a change is incomplete or names an unknown stream, so nothing changes. */
const statuses = async ({ ask, pollPath, streamId }: Receiver, bearer: string | null): Promise<readonly number[]> => {
  const asked = [
    ['GET', STREAMS],
    ['GET', `${STATUS}?stream_id=${streamId}`],
    ['POST', pollPath, {}],
    ['POST', STREAMS, {}],
    ['PATCH', STREAMS, {}],
    ['PUT', STREAMS, {}],
    ['DELETE', `${STREAMS}?stream_id=other`],
    ['POST', STATUS, {}],
    ['POST', VERIFY, { stream_id: 'other' }],
  ] as const;
  return inTurn(asked, async ([method, path, body]) => (await ask(method, path, body, bearer)).status);
};

const NONE = [401, 401, 401, 401, 401, 401, 401, 401, 401];
const INVALID = [401, { error: 'HTTP 401 Unauthorized' }];
const LACKS_SCOPE = 401;

export const SSF_ACCESS_CASES: readonly ContractCase[] = [
  {
    title: 'a token needs ssf.read to poll and to read the stream, and ssf.manage to change the stream',
    ask: (server) =>
      withReceiver(server, {}, async (receiver) => ({
        read: await statuses(receiver, await receiver.token('ssf.read')),
        manage: await statuses(receiver, await receiver.token('ssf.manage')),
        both: await statuses(receiver, await receiver.token()),
        neither: await statuses(receiver, await receiver.token('')),
      })),
    answer: {
      read: [200, 200, 200, 401, 401, 401, 401, 401, 401],
      manage: [401, 401, 401, 400, 400, 400, 404, 400, 404],
      both: [200, 200, 200, 400, 400, 400, 404, 400, 404],
      neither: NONE,
    },
  },
  {
    title: 'a request is refused if the request has no token, or has a token of a user or of another client',
    ask: (server) =>
      withReceiver(server, {}, async (receiver, own) => ({
        none: await statuses(receiver, null),
        junk: await statuses(receiver, 'junk'),
        user: await statuses(receiver, textOf(await login(own, 'alice'))),
        service: await statuses(receiver, textOf(await clientCredentials(own, 'service-a'))),
        administrator: await statuses(receiver, await own.administrator.token()),
      })),
    answer: { none: NONE, junk: NONE, user: NONE, service: NONE, administrator: NONE },
  },
  {
    title: 'an invalid token is refused with a reason, and a valid token that lacks a scope is refused with no reason',
    ask: (server) =>
      withReceiver(server, {}, async ({ ask, token: tokenOf }) =>
        inTurn([null, 'junk', await tokenOf('ssf.manage')], async (bearer) =>
          ssfAnswer(await ask('GET', STREAMS, undefined, bearer)),
        ),
      ),
    answer: [INVALID, INVALID, LACKS_SCOPE],
  },
  {
    title: 'a revoked token is refused',
    ask: (server) =>
      withReceiver(server, {}, async ({ ask, token: tokenOf, clientId }, own) => {
        const bearer = await tokenOf();
        await revoke(own, `${clientId}:${RECEIVER_SECRET}`, bearer);
        return ssfAnswer(await ask('GET', STREAMS, undefined, bearer));
      }),
    answer: INVALID,
  },
  {
    title: "a user's token with both scopes is refused, unless the receiver accepts tokens of users",
    ask: (server) =>
      withReceiver(server, {}, async ({ ask, clientId, changeAttributes }, own) => {
        const username = await own.newUser('order-manager');
        const form = { grant_type: 'password', username, password: username, scope: 'ssf.read ssf.manage' };
        const bearer = textOf(await token(own, form, `${clientId}:${RECEIVER_SECRET}`));
        const before = await ask('GET', STREAMS, undefined, bearer);
        await changeAttributes({ 'ssf.requireServiceAccount': 'false' });
        const after = await ask('GET', STREAMS, undefined, bearer);
        await changeAttributes({ 'ssf.requireServiceAccount': '' });
        return [before.status, after.status, (await ask('GET', STREAMS, undefined, bearer)).status];
      }),
    answer: [401, 200, 401],
  },
  {
    title: 'a client that is not a receiver is refused, and a disabled client is refused',
    ask: (server) =>
      withReceiver(server, {}, async (receiver) => {
        const bearer = await receiver.token();
        await receiver.changeAttributes({ 'ssf.enabled': 'false' });
        const noReceiver = await receiver.ask('GET', STREAMS, undefined, bearer);
        await receiver.changeAttributes({ 'ssf.enabled': 'true' }, { enabled: false });
        const disabled = await receiver.ask('GET', STREAMS, undefined, bearer);
        await receiver.changeAttributes({}, { enabled: true });
        const again = await receiver.ask('GET', STREAMS, undefined, bearer);
        return [ssfAnswer(noReceiver), ssfAnswer(disabled), again.status];
      }),
    answer: [LACKS_SCOPE, INVALID, 200],
  },
  {
    title: "a receiver can't read, change, delete, verify or poll the stream of another receiver",
    ask: (server) =>
      withReceiver(server, {}, (other) =>
        withReceiver(server, {}, async ({ ask, pollPath, streamId }) => {
          const id = other.streamId;
          const asked = [
            ['GET', `${STREAMS}?stream_id=${id}`],
            ['GET', `${STATUS}?stream_id=${id}`],
            ['PATCH', STREAMS, { stream_id: id, description: 'x' }],
            ['PUT', STREAMS, { stream_id: id, delivery: { method: 'urn:ietf:rfc:8936' } }],
            ['DELETE', `${STREAMS}?stream_id=${id}`],
            ['POST', STATUS, { stream_id: id, status: 'disabled' }],
            ['POST', VERIFY, { stream_id: id }],
            ['POST', other.pollPath, {}],
            ['POST', pollPath.replace(streamId, id), {}],
          ] as const;
          return inTurn(asked, async ([method, path, body]) => ssfAnswer(await ask(method, path, body)));
        }),
      ),
    answer: [
      404,
      404,
      404,
      404,
      404,
      404,
      [404, { error: 'stream_verification_error', error_description: 'Stream not found' }],
      [404, { err: 'stream_not_found', description: 'Stream not found' }],
      [404, { err: 'stream_not_found', description: 'Stream not found' }],
    ],
  },
  {
    title: 'unsupported methods are refused after the check of the token',
    ask: (server) =>
      withReceiver(server, {}, async ({ ask, pollPath }) =>
        inTurn(
          [
            [pollPath, undefined],
            [VERIFY, undefined],
            [VERIFY, null],
          ] as const,
          async ([path, bearer]) => ssfAnswer(await ask('GET', path, undefined, bearer)),
        ),
      ),
    answer: [[405, { error: 'HTTP 405 Method Not Allowed' }], [405, { error: 'HTTP 405 Method Not Allowed' }], INVALID],
  },
];
