import type { ContractCase } from './expectations.js';
import { administered } from './observations.js';
import { shown, STREAMS, withReceiver, type Receiver } from './receivers.js';
import { login, textOf } from './requests.js';
import { whileRecording } from './seen-events.js';
import type { ContractServer } from './server.js';

const ATTEMPTS = 5;

const ask = async (
  own: ContractServer,
  method: string,
  path: string,
  names: Readonly<Record<string, unknown>> = {},
): Promise<unknown> => shown(names, await administered(own, await own.administrator.ask(method, `/ssf${path}`)));

const ofClient = (own: ContractServer, { clientId }: Receiver, method: string, path: string): Promise<unknown> =>
  ask(own, method, `/clients/${clientId}${path}`);

const refused = (error_description: string) => ({ status: 400, json: { error: 'invalid_request', error_description } });
const NO_CLIENT = { status: 404, json: { error: 'Client not found' } };
const deleted = (count: number) => ({ status: 200, json: { deleted: count } });
const statuses = (counts: Readonly<Record<string, number>>) => ({
  status: 200,
  json: {
    statuses: Object.fromEntries(
      Object.entries(counts).map(([status, count]) => [status, { count, oldestCreatedAt: '<time>' }]),
    ),
  },
});

async function withOneOfEach({ verify, poll }: Receiver): Promise<void> {
  await verify('first', 'second', 'third');
  const [first = '', second = ''] = Object.keys((await poll()).sets);
  await poll({ ack: [first], setErrs: { [second]: { err: 'invalid_key' } } });
}

const STREAM = {
  streamId: '<stream>',
  status: 'enabled',
  audience: ['the-audience'],
  delivery: { method: 'urn:ietf:rfc:8936', endpoint_url: 'poll' },
  eventsRequested: ['CaepSessionRevoked', 'CaepCredentialChange'],
  eventsDelivered: ['CaepSessionRevoked', 'CaepCredentialChange'],
  managedBy: 'RECEIVER',
};

export const SSF_ADMIN_CASES: readonly ContractCase[] = [
  {
    title: 'see a stream with aliases of event types, and do not see the secret of the stream',
    ask: (server) =>
      withReceiver(server, {}, async ({ clientId, streamId, changeAttributes, verify }, own) => {
        const see = () => ask(own, 'GET', `/clients/${clientId}/stream`, { '<stream>': streamId });
        const first = await see();
        await changeAttributes({ 'ssf.stream.delivery.authorizationHeader': 'Bearer secret' });
        await verify('first');
        return [first, await see()];
      }),
    answer: [
      { status: 200, json: STREAM },
      { status: 200, json: { ...STREAM, lastVerifiedAt: '<time>' } },
    ],
  },
  {
    title: 'see a stream that the receiver has created',
    ask: (server) =>
      withReceiver(server, { isEmpty: true }, async ({ ask: askTransmitter, clientId }, own) => {
        const body = { delivery: { method: 'urn:ietf:rfc:8936' }, description: 'ours' };
        const { members } = await askTransmitter('POST', STREAMS, body);
        const names = { '<stream>': members['stream_id'], '<issuer>': own.issuer, '<client>': clientId };
        const seen = (await ask(own, 'GET', `/clients/${clientId}/stream`, names)) as { json: object };
        const { eventsSupported, ...stream } = seen.json as { eventsSupported: string[] };
        return [eventsSupported.toSorted(), stream];
      }),
    answer: [
      ['CaepCredentialChange', 'CaepSessionRevoked'],
      {
        streamId: '<stream>',
        description: 'ours',
        status: 'enabled',
        audience: ['<client>/<stream>'],
        delivery: {
          method: 'urn:ietf:rfc:8936',
          endpoint_url: '<issuer>/ssf/transmitter/receivers/<client>/streams/<stream>/poll',
        },
        createdAt: '<time>',
        updatedAt: '<time>',
        managedBy: 'RECEIVER',
      },
    ],
  },
  {
    title: 'see no stream of a client that has no stream, and no stream of an unknown client_id',
    ask: (server) =>
      withReceiver(server, { isEmpty: true }, async (receiver, own) => [
        await ofClient(own, receiver, 'GET', '/stream'),
        await ask(own, 'GET', '/clients/nobody/stream'),
        await ask(own, 'GET', `${receiver.path}/stream`),
        await ask(own, 'GET', '/clients/nobody/events/stats'),
        await ask(own, 'DELETE', '/clients/nobody/events?status=PENDING'),
        await ofClient(own, receiver, 'GET', '/events/stats'),
      ]),
    answer: [
      { status: 404, json: { error: 'No SSF stream registered for client' } },
      NO_CLIENT,
      NO_CLIENT,
      NO_CLIENT,
      NO_CLIENT,
      statuses({}),
    ],
  },
  {
    title: 'see the number of events in each state',
    ask: (server) =>
      withReceiver(server, {}, async (receiver, own) => {
        await withOneOfEach(receiver);
        return ofClient(own, receiver, 'GET', '/events/stats');
      }),
    answer: statuses({ PENDING: 1, DELIVERED: 1, DEAD_LETTER: 1 }),
  },
  {
    title: 'see the number of all events of the realm',
    ask: (server) =>
      withReceiver(server, {}, async (receiver, own) => {
        const count = async (): Promise<number> => {
          const { statuses: all } = await own.administrator.read<{ statuses: Record<string, { count: number }> }>(
            '/ssf/events/stats',
          );
          return all['PENDING']?.count ?? 0;
        };
        const added = async (): Promise<number> => {
          const before = await count();
          await receiver.verify('first', 'second');
          return (await count()) - before;
        };
        // Counts again if Keycloak has deleted events of an earlier receiver between the two counts.
        for (let attempt = 1; attempt < ATTEMPTS; attempt += 1) if ((await added()) === 2) return 2;
        return added();
      }),
    answer: 2,
  },
  {
    title: 'delete the events in one state, or only the old events in this state',
    ask: (server) =>
      withReceiver(server, {}, async (receiver, own) => {
        await withOneOfEach(receiver);
        const purge = (query: string) => ofClient(own, receiver, 'DELETE', `/events?${query}`);
        return [
          await purge('status=DELIVERED&olderThan=PT24H'),
          await purge('status=DELIVERED&olderThan=P1DT1H1M1.5S'),
          await purge('status=delivered'),
          await purge('status=DELIVERED'),
          await purge('status=HELD'),
          await ofClient(own, receiver, 'GET', '/events/stats'),
          await purge('status=PENDING'),
          await receiver.polled(),
        ];
      }),
    answer: [
      deleted(0),
      deleted(0),
      deleted(1),
      deleted(0),
      deleted(0),
      statuses({ PENDING: 1, DEAD_LETTER: 1 }),
      deleted(1),
      [],
    ],
  },
  {
    title: 'delete the events of all receivers of the realm',
    ask: (server) =>
      withReceiver(server, {}, async (receiver, own) => {
        await withOneOfEach(receiver);
        return [
          await ask(own, 'DELETE', '/events?status=DEAD_LETTER&olderThan=PT1H'),
          ((await ask(own, 'DELETE', '/events?status=DEAD_LETTER')) as { status: number }).status,
          await ofClient(own, receiver, 'GET', '/events/stats'),
        ];
      }),
    answer: [deleted(0), 200, statuses({ PENDING: 1, DELIVERED: 1 })],
  },
  {
    title: 'delete no events if the request is incomplete or malformed',
    ask: (server) =>
      withReceiver(server, {}, async (receiver, own) => {
        const queries = [
          '',
          '?status=',
          '?status=OLD',
          '?status=PENDING&olderThan=1d',
          '?status=PENDING&olderThan=PT-1H',
        ];
        return Promise.all(queries.map((query) => ofClient(own, receiver, 'DELETE', `/events${query}`)));
      }),
    answer: [
      refused('status query parameter is required'),
      refused('status query parameter is required'),
      refused('Unknown status: OLD'),
      refused('olderThan must be an ISO-8601 duration (e.g. PT720H): 1d'),
      refused('olderThan must be a positive ISO-8601 duration'),
    ],
  },
  {
    title: 'cause an admin event when they delete events',
    ask: (server) =>
      withReceiver(server, {}, ({ clientId }, own) =>
        whileRecording(own, async () => {
          await own.administrator.statusOf('DELETE', `/ssf/clients/${clientId}/events?status=HELD&olderThan=PT1H`);
          const [event] = await own.administrator.read<Readonly<Record<string, unknown>>[]>('/admin-events');
          const { operationType, resourceType, resourcePath, representation } = event ?? {};
          return shown({ '<client>': clientId }, [operationType, resourceType, resourcePath, representation]);
        }),
      ),
    answer: [
      'DELETE',
      'SSF_SYNTHETIC_EVENT',
      'ssf/clients/<client>/events',
      '{"status":"HELD","olderThan":"PT1H","deleted":0}',
    ],
  },
  {
    title: 'are users with the required role, and users who lack the role see no stream',
    ask: (server) =>
      withReceiver(server, {}, async ({ clientId, token }, own) => {
        const tokens = [null, await token(), textOf(await login(own, 'alice'))];
        const asked = tokens.flatMap((bearer) => {
          const authorization = bearer === null ? null : `Bearer ${bearer}`;
          return [
            own.administrator.statusOf('GET', `/ssf/clients/${clientId}/stream`, { authorization }),
            own.administrator.statusOf('GET', '/ssf/events/stats', { authorization }),
            own.administrator.statusOf('DELETE', '/ssf/events?status=HELD', { authorization }),
          ];
        });
        return Promise.all(asked);
      }),
    answer: [401, 401, 401, 403, 403, 403, 403, 403, 403],
  },
];
