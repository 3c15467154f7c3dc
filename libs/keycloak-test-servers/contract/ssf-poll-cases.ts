import type { ContractCase } from './expectations.js';
import { inTurn, ssfAnswer, withReceiver, type Poll } from './receivers.js';

const NOTHING = [200, { sets: {}, moreAvailable: false }];
const UNPARSED = [400, { error: 'unknown_error', error_description: 'Cannot parse the JSON' }];
const tooMany = (what: string) => [
  400,
  { err: 'invalid_request', description: `${what} exceeds 1000 entries — split into multiple polls` },
];

const idsOf = ({ sets }: Poll): string[] => Object.keys(sets);

const counted = (poll: Poll): unknown => [idsOf(poll).length, poll.moreAvailable];

const many = (count: number): string[] => Array.from({ length: count }, (_, index) => `id-${index}`);

export const SSF_POLL_CASES: readonly ContractCase[] = [
  {
    title: 'returns each event in the order of arrival until the receiver acknowledges the event',
    ask: (server) =>
      withReceiver(server, {}, async ({ verify, poll, polled }) => {
        await verify('first', 'second', 'third');
        const [first, second] = idsOf(await poll());
        return [
          await polled(),
          await polled(),
          await polled({ ack: [second] }),
          await polled({ ack: [first, 'unknown'] }),
          await polled(),
        ];
      }),
    answer: [['first', 'second', 'third'], ['first', 'second', 'third'], ['first', 'third'], ['third'], ['third']],
  },
  {
    title: 'is answered immediately, even if the receiver asks for long polling',
    ask: (server) =>
      withReceiver(server, {}, async ({ ask, pollPath }) => [
        ssfAnswer(await ask('POST', pollPath, { returnImmediately: false })),
        ssfAnswer(await ask('POST', pollPath, { returnImmediately: true })),
        ssfAnswer(await ask('POST', pollPath, {})),
        ssfAnswer(await ask('POST', pollPath)),
        ssfAnswer(await ask('POST', pollPath, '')),
      ]),
    answer: [NOTHING, NOTHING, NOTHING, NOTHING, NOTHING],
  },
  {
    title: 'returns at most maxEvents events, but at least one event, and says whether more events are available',
    ask: (server) =>
      withReceiver(server, {}, async ({ verify, poll }) => {
        await verify('first', 'second', 'third');
        const bounds = [1, 2, 3, 4, 0, -1, '2', 2.9, null];
        return inTurn(bounds, async (maxEvents) => counted(await poll({ maxEvents })));
      }),
    answer: [
      [1, true],
      [2, true],
      [3, false],
      [3, false],
      [1, true],
      [1, true],
      [2, true],
      [2, true],
      [3, false],
    ],
  },
  {
    title: 'returns a hundred events if maxEvents is missing',
    ask: (server) =>
      withReceiver(server, {}, async ({ verify, poll }) => {
        await verify(...many(101));
        const first = await poll();
        return [counted(first), counted(await poll({ maxEvents: 5000 })), counted(await poll({ ack: idsOf(first) }))];
      }),
    answer: [
      [100, true],
      [101, false],
      [1, false],
    ],
  },
  {
    title: 'stops the delivery of an event that the receiver reports as faulty; a later acknowledgement has no effect',
    ask: (server) =>
      withReceiver(server, {}, async ({ verify, poll, polled, clientId }, own) => {
        await verify('first', 'second', 'third');
        const [first = '', second = ''] = idsOf(await poll());
        const left = await polled({ setErrs: { [first]: { err: 'invalid_key', description: 'no' } }, ack: [second] });
        const again = await polled({ ack: [first], setErrs: { [second]: { err: 'invalid_key' }, unknown: {} } });
        const { statuses } = await own.administrator.read<{ statuses: Record<string, { count: number }> }>(
          `/ssf/clients/${clientId}/events/stats`,
        );
        return [
          left,
          again,
          Object.fromEntries(Object.entries(statuses).map(([status, { count }]) => [status, count])),
        ];
      }),
    answer: [['third'], ['third'], { PENDING: 1, DELIVERED: 1, DEAD_LETTER: 1 }],
  },
  {
    title: 'acknowledges an event that the receiver reports as acknowledged and as faulty',
    ask: (server) =>
      withReceiver(server, {}, async ({ verify, poll, clientId }, own) => {
        await verify('first');
        const [first = ''] = idsOf(await poll());
        await poll({ setErrs: { [first]: { err: 'invalid_key' } }, ack: [first] });
        const { statuses } = await own.administrator.read<{ statuses: object }>(
          `/ssf/clients/${clientId}/events/stats`,
        );
        return Object.keys(statuses);
      }),
    answer: ['DELIVERED'],
  },
  {
    title: 'of another receiver acknowledges no event of this receiver',
    ask: (server) =>
      withReceiver(server, {}, async ({ verify, poll, polled }) => {
        await verify('first');
        const ack = idsOf(await poll());
        await withReceiver(server, {}, (other) => other.poll({ ack, setErrs: { [ack[0] ?? '']: { err: 'x' } } }));
        return polled();
      }),
    answer: ['first'],
  },
  {
    title: 'accepts at most a thousand acknowledgements and at most a thousand error reports',
    ask: (server) =>
      withReceiver(server, {}, async ({ ask, pollPath }) => [
        ssfAnswer(await ask('POST', pollPath, { ack: many(1000) })),
        ssfAnswer(await ask('POST', pollPath, { ack: many(1001) })),
        ssfAnswer(
          await ask('POST', pollPath, { setErrs: Object.fromEntries(many(1001).map((id) => [id, { err: 'x' }])) }),
        ),
      ]),
    answer: [NOTHING, tooMany('ack array'), tooMany('setErrs object')],
  },
  {
    title: 'ignores unknown members, and refuses malformed members',
    ask: (server) =>
      withReceiver(server, {}, async ({ ask, pollPath }) => {
        const bodies = [
          { wait: 1 },
          { ack: [1] },
          { ack: 'id' },
          { maxEvents: 'many' },
          { setErrs: { id: 'x' } },
          [],
          '{',
        ];
        return inTurn(bodies, async (body) => ssfAnswer(await ask('POST', pollPath, body)));
      }),
    answer: [
      NOTHING,
      NOTHING,
      UNPARSED,
      UNPARSED,
      UNPARSED,
      UNPARSED,
      [400, { error: 'invalid_request', error_description: 'Cannot parse the JSON' }],
    ],
  },
];
