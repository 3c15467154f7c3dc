/** SSF 1.0 §8.1.1. As in Keycloak, a receiver has at most one stream. */
import { randomUUID } from 'node:crypto';
import type { HttpAnswer } from '../http/http-call.js';
import type { RealmClient } from '../realm/realm-representation.js';
import { deliveredOf, SUPPORTED_TYPES } from '../state/security-event-types.js';
import { ownStream, receiverWith, type SsfRequest } from './receiver.js';
import { answered, NO_CONTENT } from './ssf-answer.js';
import { NO_STREAM_ID, NO_SUCH_STREAM, streamError } from './ssf-refusal.js';
import { readStreamRequest, refuseInvalid, refuseOfTransmitter, type StreamRequest } from './stream-request.js';
import {
  removeStream,
  saveStream,
  streamOf,
  streamRepresentation,
  type Delivery,
  type Stream,
} from '../streams/stream.js';
import { isPollMethod } from '../streams/security-event-token.js';
import { pollPath } from '../streams/transmitter.js';
import { DEFAULT_INTERVAL_SECONDS } from './verification-endpoint.js';

export function readStreams(request: SsfRequest): HttpAnswer {
  const client = receiverWith(request, 'ssf.read');
  const id = request.call.query.get('stream_id') ?? '';
  if (id === '') {
    const only = streamOf(client);
    return answered(200, only === undefined ? [] : [streamRepresentation(only)]);
  }
  const stream = ownStream(client, id);
  if (stream === undefined) throw NO_SUCH_STREAM;
  return answered(200, streamRepresentation(stream));
}

export function createStream(request: SsfRequest): HttpAnswer {
  const client = receiverWith(request, 'ssf.manage');
  const { server, call } = request;
  const asked = readStreamRequest(call, { isUpdate: false });
  if (asked === undefined) throw streamError(500, 'Failed to create stream');
  refuseOfTransmitter(asked);
  refuseInvalid(asked, client);
  if (streamOf(client) !== undefined) throw streamError(409, 'Only one stream per receiver is allowed');
  const [id, now] = [randomUUID(), server.clock.now()];
  const { description, eventsRequested, delivery } = asked;
  return saved(request, client, 201, {
    id,
    iss: server.issuer,
    aud: [`${client.clientId}/${id}`],
    eventsSupported: SUPPORTED_TYPES,
    eventsRequested,
    eventsDelivered: deliveredOf(eventsRequested ?? []),
    delivery: delivery && withPollEndpoint(request, client, id, delivery),
    description,
    minVerificationInterval: DEFAULT_INTERVAL_SECONDS,
    inactivityTimeout: undefined,
    defaultSubjects: undefined,
    status: 'enabled',
    statusReason: undefined,
    createdAt: now,
    updatedAt: now,
    lastVerifiedAt: undefined,
  });
}

export function updateStream(request: SsfRequest): HttpAnswer {
  const { client, stream, asked } = changeOf(request);
  refuseOfTransmitter(asked);
  const { description = stream.description, eventsRequested, delivery = stream.delivery } = asked;
  const changed = { ...stream, description, delivery, eventsRequested: eventsRequested ?? stream.eventsRequested };
  return change(request, client, stream, changed, eventsRequested !== undefined);
}

/** As in Keycloak, the poll address is restored only if the delivery method changes. */
export function replaceStream(request: SsfRequest): HttpAnswer {
  const { client, stream, asked } = changeOf(request);
  refuseOfTransmitter(asked);
  const { description, eventsRequested, delivery } = asked;
  if (delivery === undefined) throw streamError(400, 'Invalid stream replace: delivery is required');
  return change(request, client, stream, { ...stream, description, eventsRequested, delivery }, true);
}

export function deleteStream(request: SsfRequest): HttpAnswer {
  const client = receiverWith(request, 'ssf.manage');
  const id = request.call.query.get('stream_id') ?? streamOf(client)?.id;
  if (id === undefined || id === '') throw NO_STREAM_ID;
  if (ownStream(client, id) === undefined) throw NO_SUCH_STREAM;
  request.server.outbox.deleteAll(client.id);
  removeStream(request.server.realm, client);
  return NO_CONTENT;
}

function changeOf(request: SsfRequest): { client: RealmClient; stream: Stream; asked: StreamRequest } {
  const client = receiverWith(request, 'ssf.manage');
  const asked = readStreamRequest(request.call, { isUpdate: true });
  if (asked?.streamId === undefined) throw NO_STREAM_ID;
  const stream = ownStream(client, asked.streamId);
  if (stream === undefined) throw NO_SUCH_STREAM;
  return { client, stream, asked };
}

/** A PUT without event types stops the delivery of all queued events. */
function change(
  request: SsfRequest,
  client: RealmClient,
  before: Stream,
  changed: Stream,
  asksForEvents: boolean,
): HttpAnswer {
  const { outbox, clock } = request.server;
  const { delivery, eventsRequested, id } = changed;
  refuseInvalid(changed, client);
  const eventsDelivered = asksForEvents ? deliveredOf(eventsRequested ?? []) : before.eventsDelivered;
  if (asksForEvents) outbox.giveUpAllBut(client.id, eventsDelivered ?? []);
  const isOtherMethod = delivery?.method !== before.delivery?.method;
  return saved(request, client, 200, {
    ...changed,
    eventsDelivered,
    delivery: delivery && isOtherMethod ? withPollEndpoint(request, client, id, delivery) : delivery,
    updatedAt: clock.now(),
  });
}

function saved({ server: { realm } }: SsfRequest, client: RealmClient, status: number, stream: Stream): HttpAnswer {
  saveStream(realm, client, stream);
  return answered(status, streamRepresentation(streamOf(realm.clientById(client.id) ?? client) ?? stream));
}

function withPollEndpoint({ server }: SsfRequest, { clientId }: RealmClient, id: string, delivery: Delivery): Delivery {
  if (!isPollMethod(delivery.method)) return delivery;
  return { ...delivery, endpoint_url: server.baseUrl + pollPath(server.realm.name, clientId, id) };
}
