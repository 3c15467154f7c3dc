import type { ContractCase } from './expectations.js';
import { verification } from './expected-signals.js';
import { shownSets, ssfAnswer, STREAMS, VERIFY, withReceiver } from './receivers.js';

const refused = (status: number, error_description: string) => [
  status,
  { error: 'stream_verification_error', error_description },
];

/** Replaces the number of seconds in the error description, because this number depends on the speed of the test. */
const tooEarly = ([status, body]: [number, { error_description: string }]): unknown => [
  status,
  { ...body, error_description: body.error_description.replace(/\d+/, '<n>') },
];

const TOO_EARLY = [
  429,
  { error: 'too_many_requests', error_description: 'Wait at least <n> seconds before triggering another verification' },
];

export const SSF_VERIFICATION_CASES: readonly ContractCase[] = [
  {
    title: 'contains the state of the request, or no state if the request has none',
    ask: (server) =>
      withReceiver(server, {}, async ({ ask, poll, streamId }, own) => {
        const asked = [
          ssfAnswer(await ask('POST', VERIFY, { stream_id: streamId, state: 'n-1' })),
          ssfAnswer(await ask('POST', VERIFY, {})),
        ];
        return [asked, await shownSets(own, await poll(), { '<stream>': streamId })];
      }),
    answer: [
      [204, 204],
      [verification({ state: 'n-1' }), verification({})],
    ],
  },
  {
    title: 'can be requested once in a minute, unless the client has another interval',
    ask: (server) =>
      withReceiver(server, { attributes: { 'ssf.minVerificationInterval': '' } }, async ({ ask, changeAttributes }) => {
        const answers = [(await ask('POST', VERIFY, {})).status, ssfAnswer(await ask('POST', VERIFY, {}))];
        await changeAttributes({ 'ssf.minVerificationInterval': '3600' });
        answers.push(ssfAnswer(await ask('POST', VERIFY, {})));
        await changeAttributes({ 'ssf.minVerificationInterval': '0' });
        answers.push((await ask('POST', VERIFY, {})).status);
        const [first, second, third, fourth] = answers as [
          number,
          [number, { error_description: string }],
          never,
          number,
        ];
        return [first, tooEarly(second), tooEarly(third), fourth];
      }),
    answer: [204, TOO_EARLY, TOO_EARLY, 204],
  },
  {
    title: 'is not delivered if the request was refused',
    ask: (server) =>
      withReceiver(server, { attributes: { 'ssf.minVerificationInterval': '3600' } }, async ({ verify, polled }) => [
        await verify('first', 'second'),
        await polled(),
      ]),
    answer: [[204, 429], ['first']],
  },
  {
    title: 'is delivered to a stream that gets events of no user',
    ask: (server) =>
      withReceiver(server, { attributes: { 'ssf.defaultSubjects': '' } }, async ({ verify, polled, ask }) => {
        const [stream] = JSON.parse((await ask('GET', STREAMS)).text) as { default_subjects?: string }[];
        return [stream?.default_subjects, await verify('first'), await polled()];
      }),
    answer: [undefined, [204], ['first']],
  },
  {
    title: 'fails if the stream has no delivery method or no audience',
    async ask(server) {
      const without = (name: string) =>
        withReceiver(server, { attributes: { [name]: '' } }, async ({ ask, polled }) => [
          ssfAnswer(await ask('POST', VERIFY, {})),
          await polled(),
        ]);
      return [await without('ssf.stream.delivery.method'), await without('ssf.stream.aud')];
    },
    answer: [
      [refused(400, 'Stream verification failed'), []],
      [refused(400, 'Stream verification failed'), []],
    ],
  },
  {
    title:
      'has no audience if the stream names no address, and has several audiences if the stream names several audiences',
    async ask(server) {
      const audience = (attributes: Readonly<Record<string, string>>) =>
        withReceiver(server, { attributes }, async ({ verify, poll }, own) => {
          await verify('first');
          const sets = await shownSets(own, await poll(), {});
          return (sets as { claims: { aud?: unknown } }[]).map(({ claims }) => claims.aud);
        });
      return [
        await audience({ 'ssf.stream.delivery.endpointUrl': '' }),
        await audience({ 'ssf.stream.aud': 'one, two' }),
      ];
    },
    answer: [[undefined], [['one', 'two']]],
  },
  {
    title: 'is refused if the request has no body or a malformed body',
    ask: (server) =>
      withReceiver(server, {}, async ({ ask }) => [
        (await ask('POST', VERIFY)).status,
        ssfAnswer(await ask('POST', VERIFY, '{')),
        String((await ask('POST', VERIFY, { nonce: 1 })).members['error']).replace(/ at line.*/, ''),
      ]),
    answer: [
      500,
      [400, { error: 'invalid_request', error_description: 'Cannot parse the JSON' }],
      'Invalid json representation for StreamVerificationRequest. Unrecognized field "nonce"',
    ],
  },
];
