import type { ContractCase } from './expectations.js';
import {
  EVENT_TYPES,
  inTurn,
  ssfAnswer,
  STREAMS,
  VERIFY,
  withReceiver,
  type OfReceiver,
  type Receiver,
} from './receivers.js';
import type { Reply } from './requests.js';

const { sessionRevoked, credentialChange } = EVENT_TYPES;
const POLL = { method: 'urn:ietf:rfc:8936' };
const EMPTY: OfReceiver = { isEmpty: true };

const streamError = (status: number, error_description: string) => [
  status,
  { error: 'stream_error', error_description },
];
const invalid = (why: string) => streamError(400, `Invalid stream configuration: ${why}`);
const UNPARSED = [400, { error: 'unknown_error', error_description: 'Cannot parse the JSON' }];
const NO_ID = streamError(400, 'Stream ID is required');

/** Sorts a list of event types, since Keycloak returns event types in any order. */
const sorted = (member: unknown): unknown => (Array.isArray(member) ? member.toSorted() : member);

function streams({ status, text }: Reply, names: Readonly<Record<string, unknown>>): unknown {
  const body = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> | Record<string, unknown>[];
  const show = (stream: object): unknown =>
    Object.fromEntries(Object.entries(stream).map(([name, member]) => [name, sorted(member)]));
  const shownText = JSON.stringify(Array.isArray(body) ? body.map(show) : show(body));
  return ssfAnswer({ status, text: shownText, members: {}, headers: new Headers() }, names);
}

const OF_ATTRIBUTES = {
  stream_id: '<stream>',
  aud: ['the-audience'],
  events_requested: [credentialChange, sessionRevoked],
  events_delivered: [credentialChange, sessionRevoked],
  delivery: { ...POLL, endpoint_url: 'poll' },
  min_verification_interval: 0,
  default_subjects: 'ALL',
};
const CREATED = {
  stream_id: '<stream>',
  iss: '<issuer>',
  aud: ['<client>/<stream>'],
  events_supported: [credentialChange, sessionRevoked],
  delivery: { ...POLL, endpoint_url: '<issuer>/ssf/transmitter/receivers/<client>/streams/<stream>/poll' },
  min_verification_interval: 60,
};

/** `tell` replaces variable values in an answer by placeholders, such as `<stream>`. */
const withMade = (
  title: string,
  body: object,
  use: (receiver: Receiver, id: string, tell: (reply: Reply) => unknown) => Promise<unknown>,
  answer: unknown,
): ContractCase => ({
  title,
  ask: (server) =>
    withReceiver(server, EMPTY, async (receiver, { issuer }) => {
      const id = String((await receiver.ask('POST', STREAMS, { delivery: POLL, ...body })).members['stream_id']);
      const names = { '<stream>': id, '<issuer>': issuer, '<client>': receiver.clientId };
      return use(receiver, id, (reply) => streams(reply, names));
    }),
  answer,
});

const REFUSED: readonly { readonly body: unknown; readonly answer: unknown }[] = [
  { body: {}, answer: invalid('missing delivery configuration') },
  { body: { delivery: {} }, answer: invalid('missing delivery method') },
  { body: { delivery: { method: 'mail' } }, answer: invalid('unsupported delivery method') },
  {
    body: { delivery: { method: 'urn:ietf:rfc:8935' } },
    answer: invalid('missing delivery endpoint push URL'),
  },
  {
    body: { delivery: { method: 'urn:ietf:rfc:8935', endpoint_url: 'https://receiver.example/' } },
    answer: streamError(400, "delivery method 'push' requires the receiver client to declare ssf.validPushUrls"),
  },
  {
    body: { delivery: POLL, aud: ['me'], iss: 'me', format: 'email' },
    answer: invalid(
      '[iss, aud, format] are transmitter-supplied under SSF 1.0 §8.1.1 and may only be set by receivers configured with the SSE_CAEP profile',
    ),
  },
  { body: { delivery: POLL, description: 'x'.repeat(256) }, answer: invalid('description exceeds 255 characters') },
  {
    body: { delivery: POLL, events_requested: Array.from({ length: 33 }, (_, index) => `urn:${index}`) },
    answer: invalid('events_requested exceeds 32 entries'),
  },
  {
    body: { delivery: POLL, events_requested: ['x'.repeat(257)] },
    answer: invalid('events_requested entry exceeds 256 characters'),
  },
  {
    body: { delivery: { ...POLL, endpoint_url: 'x'.repeat(513) } },
    answer: invalid('delivery.endpoint_url exceeds 512 characters'),
  },
  { body: { delivery: POLL, events_requested: sessionRevoked }, answer: UNPARSED },
  { body: { delivery: POLL, aud: 'me' }, answer: UNPARSED },
  { body: [], answer: UNPARSED },
  { body: '{', answer: [400, { error: 'invalid_request', error_description: 'Cannot parse the JSON' }] },
  { body: undefined, answer: streamError(500, 'Failed to create stream') },
];

export const SSF_STREAM_CASES: readonly ContractCase[] = [
  {
    title: 'is returned with the values of the client attributes, in a list or by the id',
    ask: (server) =>
      withReceiver(server, {}, async ({ ask, streamId }) => [
        streams(await ask('GET', STREAMS), { '<stream>': streamId }),
        streams(await ask('GET', `${STREAMS}?stream_id=${streamId}`), { '<stream>': streamId }),
        streams(await ask('GET', `${STREAMS}?stream_id=`), { '<stream>': streamId }),
      ]),
    answer: [
      [200, [OF_ATTRIBUTES]],
      [200, OF_ATTRIBUTES],
      [200, [OF_ATTRIBUTES]],
    ],
  },
  {
    title: 'is missing in the list of a receiver that has no stream',
    ask: (server) =>
      withReceiver(server, EMPTY, async ({ ask }) => [
        ssfAnswer(await ask('GET', STREAMS)),
        ssfAnswer(await ask('DELETE', STREAMS)),
        ssfAnswer(await ask('POST', VERIFY, {})),
      ]),
    answer: [
      [200, []],
      NO_ID,
      [400, { error: 'stream_verification_error', error_description: 'Stream ID is required' }],
    ],
  },
  withMade(
    'can be created by the receiver, and gets an audience and a poll address; unknown event types are not delivered',
    { description: 'ours', events_requested: [sessionRevoked, 'urn:unknown', EVENT_TYPES.verification] },
    async ({ ask }, _, tell) => tell(await ask('GET', STREAMS)),
    [
      200,
      [
        {
          ...CREATED,
          description: 'ours',
          events_requested: [sessionRevoked, EVENT_TYPES.verification, 'urn:unknown'].toSorted(),
          events_delivered: [sessionRevoked],
        },
      ],
    ],
  ),
  {
    title:
      'is returned by the request that creates the stream; a poll address is ignored, and a second stream is refused',
    ask: (server) =>
      withReceiver(server, EMPTY, async ({ ask, clientId }, { issuer }) => {
        const body = { delivery: { ...POLL, endpoint_url: 'http://elsewhere.example/' } };
        const made = await ask('POST', STREAMS, body);
        const names = { '<stream>': made.members['stream_id'], '<issuer>': issuer, '<client>': clientId };
        return [streams(made, names), ssfAnswer(await ask('POST', STREAMS, body))];
      }),
    answer: [[201, CREATED], streamError(409, 'Only one stream per receiver is allowed')],
  },
  ...REFUSED.map(({ body, answer }): ContractCase => ({
    title: `is not created by ${JSON.stringify(body)?.slice(0, 90) ?? 'a request that has no body'}`,
    ask: (server) => withReceiver(server, EMPTY, async ({ ask }) => ssfAnswer(await ask('POST', STREAMS, body))),
    answer,
  })),
  {
    title: 'is not created if the request has an unknown member, and the error names the member',
    ask: (server) =>
      withReceiver(server, EMPTY, async ({ ask }) => {
        const bodies = [{ delivery: POLL, status: 'paused' }, { delivery: { ...POLL, interval: 1 } }];
        return inTurn(bodies, async (body) =>
          String((await ask('POST', STREAMS, body)).members['error']).replace(/ at line.*/, ''),
        );
      }),
    answer: [
      'Invalid json representation for StreamConfigInputRepresentation. Unrecognized field "status"',
      'Invalid json representation for StreamDeliveryConfig. Unrecognized field "interval"',
    ],
  },
  withMade(
    'is changed by PATCH, which keeps all other members',
    { description: 'ours', events_requested: [sessionRevoked] },
    async ({ ask }, id, tell) => [
      tell(await ask('PATCH', STREAMS, { stream_id: id, description: 'still ours' })),
      tell(await ask('PATCH', STREAMS, { stream_id: id, events_requested: [credentialChange] })),
      tell(await ask('PATCH', STREAMS, { stream_id: id, events_requested: [] })),
      tell(await ask('PATCH', STREAMS, { stream_id: id, aud: ['me'] })),
      tell(await ask('PATCH', STREAMS, { description: 'whose?' })),
      tell(await ask('PATCH', STREAMS)),
    ],
    [
      [
        200,
        {
          ...CREATED,
          description: 'still ours',
          events_requested: [sessionRevoked],
          events_delivered: [sessionRevoked],
        },
      ],
      [
        200,
        {
          ...CREATED,
          description: 'still ours',
          events_requested: [credentialChange],
          events_delivered: [credentialChange],
        },
      ],
      [200, { ...CREATED, description: 'still ours' }],
      invalid(
        '[aud] are transmitter-supplied under SSF 1.0 §8.1.1 and may only be set by receivers configured with the SSE_CAEP profile',
      ),
      NO_ID,
      NO_ID,
    ],
  ),
  withMade(
    'is replaced by PUT, which removes the members that the request lacks; without a poll address, tokens have no aud',
    { description: 'ours', events_requested: [sessionRevoked] },
    async ({ ask, pollPath, streamId }, id, tell) => {
      const refused = tell(await ask('PUT', STREAMS, { stream_id: id }));
      const replaced = tell(await ask('PUT', STREAMS, { stream_id: id, delivery: POLL }));
      await ask('POST', VERIFY, {});
      const { members } = await ask('POST', pollPath.replace(streamId, id), {});
      const claims = Object.values(members['sets'] as Record<string, string>).map(
        (jws) => JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString()) as { aud?: unknown },
      );
      return [refused, replaced, claims.map(({ aud }) => aud)];
    },
    [
      streamError(400, 'Invalid stream replace: delivery is required'),
      [200, { ...CREATED, delivery: POLL }],
      [undefined],
    ],
  ),
  withMade(
    'is deleted by DELETE together with the queued events, and the receiver can then create another stream',
    { events_requested: [sessionRevoked] },
    async ({ ask, pollPath, streamId, clientId }, id, tell) => {
      await ask('POST', VERIFY, {});
      const ended = [
        tell(await ask('DELETE', `${STREAMS}?stream_id=${id}`)),
        tell(await ask('DELETE', `${STREAMS}?stream_id=${id}`)),
        tell(await ask('GET', STREAMS)),
        (await ask('POST', pollPath.replace(streamId, id), {})).status,
      ];
      const next = String((await ask('POST', STREAMS, { delivery: POLL })).members['stream_id']);
      const polled = await ask('POST', pollPath.replace(streamId, next), {});
      return [...ended, next !== id && clientId !== '', polled.members['sets']];
    },
    [[204, {}], [404, {}], [200, []], 404, true, {}],
  ),
  {
    title: 'loses all queued events if a request names event types, even if the types stay the same',
    ask: (server) =>
      withReceiver(server, {}, async ({ ask, verify, polled, streamId }) => {
        await verify('first');
        await ask('PATCH', STREAMS, { stream_id: streamId, description: 'x' });
        const before = await polled();
        await ask('PATCH', STREAMS, { stream_id: streamId, events_requested: [sessionRevoked, credentialChange] });
        return [before, await polled()];
      }),
    answer: [['first'], []],
  },
];
