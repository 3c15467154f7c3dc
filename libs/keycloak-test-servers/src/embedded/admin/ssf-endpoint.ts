import { aliasOf } from '../state/security-event-types.js';
import { OUTBOX_STATUSES } from '../state/outbox.js';
import { streamOf, type Delivery } from '../streams/stream.js';
import { hasTransmitter } from '../streams/transmitter.js';
import type { HttpAnswer } from '../http/http-call.js';
import type { RealmClient } from '../realm/realm-representation.js';
import { found } from './admin-answer.js';
import { AdminRefusal, notFound } from './admin-refusal.js';
import type { AdminRequest } from './admin-request.js';
import { recordAdminEvent } from '../events/record-admin-event.js';

export function readStream(request: AdminRequest): HttpAnswer {
  const stream = streamOf(receiverOf(request));
  if (stream === undefined) throw notFound('No SSF stream registered for client');
  const { eventsSupported, eventsRequested, eventsDelivered, delivery } = stream;
  return found({
    streamId: stream.id,
    description: stream.description,
    status: stream.status,
    statusReason: stream.statusReason,
    audience: stream.aud,
    delivery: delivery && withoutSecret(delivery),
    eventsSupported: eventsSupported?.map(aliasOf),
    eventsRequested: eventsRequested?.map(aliasOf),
    eventsDelivered: eventsDelivered?.map(aliasOf),
    createdAt: stream.createdAt,
    updatedAt: stream.updatedAt,
    lastVerifiedAt: stream.lastVerifiedAt,
    managedBy: 'RECEIVER',
  });
}

export function readStatistics(request: AdminRequest): HttpAnswer {
  requireTransmitter(request);
  return found({ statuses: request.server.outbox.statistics() });
}

export const readStatisticsOfClient = (request: AdminRequest): HttpAnswer =>
  found({ statuses: request.server.outbox.statistics(receiverOf(request).id) });

export function purgeEvents(request: AdminRequest): HttpAnswer {
  requireTransmitter(request);
  return purged(request);
}

export const purgeEventsOfClient = (request: AdminRequest): HttpAnswer => purged(request, receiverOf(request).id);

function purged(request: AdminRequest, receiver?: string): HttpAnswer {
  const { server, call, path } = request;
  const asked = call.query.get('status') ?? '';
  if (asked === '') throw invalid('status query parameter is required');
  const status = OUTBOX_STATUSES.find((known) => known === asked.toUpperCase());
  if (status === undefined) throw invalid(`Unknown status: ${asked}`);
  const olderThan = call.query.get('olderThan') ?? '';
  const before = olderThan === '' ? undefined : server.clock.nowMs() - positiveDuration(olderThan);
  const deleted = server.outbox.purge(status, before, receiver);
  const representation = { status, ...(olderThan === '' ? {} : { olderThan }), deleted };
  recordAdminEvent(request, { operation: 'DELETE', resource: 'SSF_SYNTHETIC_EVENT', path, representation });
  return found({ deleted });
}

function positiveDuration(text: string): number {
  const match = /^P(?:([+-]?\d+)D)?(?:T(?:([+-]?\d+)H)?(?:([+-]?\d+)M)?(?:([+-]?\d+(?:\.\d{1,9})?)S)?)?$/i.exec(text);
  const [, ...parts] = match ?? [];
  if (match === null || parts.every((part) => part === undefined)) {
    throw invalid(`olderThan must be an ISO-8601 duration (e.g. PT720H): ${text}`);
  }
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = parts.map((part) => Number(part ?? 0));
  const duration = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000;
  if (duration <= 0) throw invalid('olderThan must be a positive ISO-8601 duration');
  return duration;
}

const withoutSecret = (delivery: Delivery): Delivery => ({ ...delivery, authorization_header: undefined });

const invalid = (error_description: string): AdminRefusal =>
  new AdminRefusal(400, { error: 'invalid_request', error_description });

function receiverOf(request: AdminRequest): RealmClient {
  requireTransmitter(request);
  const client = request.server.realm.client(request.id);
  if (client === undefined) throw notFound('Client not found');
  return client;
}

function requireTransmitter({ server }: AdminRequest): void {
  if (!hasTransmitter(server)) throw notFound('HTTP 404 Not Found');
}
