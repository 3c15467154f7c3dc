/** SSF 1.0 §8.1.2. */
import type { HttpAnswer } from '../http/http-call.js';
import type { RealmClient } from '../realm/realm-representation.js';
import { STREAM_UPDATED } from '../state/security-event-types.js';
import { ownStream, receiverWith, type SsfRequest } from './receiver.js';
import { bodyOf, refuseOthers, textIn } from './request-body.js';
import { canBeSent, putIntoOutbox, streamSubject } from '../streams/security-event-token.js';
import { answered } from './ssf-answer.js';
import { NO_STREAM_ID, NO_SUCH_STREAM, SERVER_ERROR } from './ssf-refusal.js';
import { saveStream, STATUSES, type Stream, type StreamStatus } from '../streams/stream.js';

export function readStatus(request: SsfRequest): HttpAnswer {
  const client = receiverWith(request, 'ssf.read');
  const stream = streamWith(client, request.call.query.get('stream_id') ?? undefined);
  if (stream.status === undefined) throw SERVER_ERROR;
  return answered(200, representation(stream));
}

/** Ignores the requested reason if the status stays the same. */
export function updateStatus(request: SsfRequest): HttpAnswer {
  const client = receiverWith(request, 'ssf.manage');
  const { server, call } = request;
  const body = bodyOf(call);
  if (body === undefined) throw SERVER_ERROR;
  refuseOthers(body, ['stream_id', 'status', 'reason'], 'StreamStatus');
  const stream = streamWith(client, textIn(body, 'stream_id'));
  const [wanted, statusReason] = [textIn(body, 'status'), textIn(body, 'reason')];
  if (stream.status === undefined) throw SERVER_ERROR;
  if (stream.status === wanted) return answered(200, representation(stream));
  const status = STATUSES.find((known) => known === wanted);
  if (status === undefined) throw SERVER_ERROR;
  const updated = { ...stream, status, statusReason, updatedAt: server.clock.now() };
  saveStream(server.realm, client, updated);
  arrangeOutbox(request, client, stream.status, status);
  if (canBeSent(updated)) {
    const payload = { status: representation(updated), reason: statusReason };
    const event = { type: STREAM_UPDATED, payload, subject: streamSubject(updated) };
    putIntoOutbox(server, { client, stream: updated }, event);
  }
  return answered(200, representation(updated));
}

function arrangeOutbox(
  { server: { outbox } }: SsfRequest,
  { id }: RealmClient,
  before: StreamStatus,
  after: StreamStatus,
): void {
  if (after === 'disabled') outbox.deleteQueued(id);
  if (after === 'enabled') outbox.release(id);
  if (after === 'paused' && before === 'enabled') outbox.hold(id);
}

function streamWith(client: RealmClient, id: string | undefined): Stream {
  if (id === undefined || id === '') throw NO_STREAM_ID;
  const stream = ownStream(client, id);
  if (stream === undefined) throw NO_SUCH_STREAM;
  return stream;
}

const representation = ({ id, status, statusReason }: Stream) => ({ stream_id: id, status, reason: statusReason });
