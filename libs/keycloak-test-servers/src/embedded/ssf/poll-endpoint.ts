/** RFC 8936. As in Keycloak, long polling is not supported. */
import type { HttpAnswer } from '../http/http-call.js';
import { ownStream, receiverWith, type SsfRequest } from './receiver.js';
import { bodyOf, numberIn, objectsIn, textsIn } from './request-body.js';
import { answered } from './ssf-answer.js';
import { SsfRefusal } from './ssf-refusal.js';

const DEFAULT_MAX = 100;
const LIMIT = 1000;

const STREAM_NOT_FOUND = new SsfRefusal(404, { err: 'stream_not_found', description: 'Stream not found' });

export async function pollEndpoint(request: SsfRequest, clientId: string, streamId: string): Promise<HttpAnswer> {
  const client = receiverWith(request, 'ssf.read');
  if (client.clientId !== clientId || ownStream(client, streamId) === undefined) throw STREAM_NOT_FOUND;
  const body = bodyOf(request.call) ?? {};
  const acknowledged = textsIn(body, 'ack') ?? [];
  const faulty = Object.keys(objectsIn(body, 'setErrs') ?? {});
  if (acknowledged.length > LIMIT) throw tooMany('ack array');
  if (faulty.length > LIMIT) throw tooMany('setErrs object');
  const max = Math.min(Math.max(numberIn(body, 'maxEvents') ?? DEFAULT_MAX, 1), LIMIT);
  const { outbox } = request.server;
  outbox.settle(client.id, acknowledged, 'DELIVERED');
  outbox.settle(client.id, faulty, 'DEAD_LETTER');
  const pending = outbox.pending(client.id);
  const sets = await Promise.all(pending.slice(0, max).map(async ({ jti, jws }) => [jti, await jws] as const));
  return answered(200, { sets: Object.fromEntries(sets), moreAvailable: pending.length > max });
}

const tooMany = (what: string): SsfRefusal =>
  new SsfRefusal(400, {
    err: 'invalid_request',
    description: `${what} exceeds ${LIMIT} entries — split into multiple polls`,
  });
