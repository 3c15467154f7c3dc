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
    title: 'shows what is there in the order in which it came, again and again, until it is acknowledged',
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
    title: 'answers at once, whatever the receiver asks for',
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
    title: 'shows no more than maxEvents, at least one, and says whether there are more',
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
    title: 'shows a hundred unless asked otherwise',
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
    title: 'gives up what the receiver finds faulty: it comes no more, and can not be acknowledged',
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
    title: 'acknowledges first what is both acknowledged and found faulty',
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
    title: 'of another receiver acknowledges nothing here',
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
    title: 'settles no more than a thousand at once',
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
    title: 'ignores unknown members, and refuses what is malformed',
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
