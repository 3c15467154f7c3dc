/** SSF 1.0 §8.1.4. */
import type { HttpAnswer } from '../http/http-call.js';
import { VERIFICATION } from '../state/security-event-types.js';
import { ownStream, receiverWith, type SsfRequest } from './receiver.js';
import { bodyOf, refuseOthers, textIn } from './request-body.js';
import { canBeSent, putIntoOutbox, streamSubject } from '../streams/security-event-token.js';
import { NO_CONTENT } from './ssf-answer.js';
import { SERVER_ERROR, SsfRefusal } from './ssf-refusal.js';
import { LAST_VERIFIED_AT, streamOf, type Stream } from '../streams/stream.js';

export const DEFAULT_INTERVAL_SECONDS = 60;

export function verificationEndpoint(request: SsfRequest): HttpAnswer {
  const client = receiverWith(request, 'ssf.manage');
  const { server, call } = request;
  const body = bodyOf(call);
  if (body === undefined) throw SERVER_ERROR;
  refuseOthers(body, ['stream_id', 'state'], 'StreamVerificationRequest');
  const id = textIn(body, 'stream_id') ?? streamOf(client)?.id;
  if (id === undefined) throw refused(400, 'Stream ID is required');
  const stream = ownStream(client, id);
  if (stream === undefined) throw refused(404, 'Stream not found');
  refuseTooEarly(stream, server.clock.now());
  if (!canBeSent(stream)) throw refused(400, 'Stream verification failed');
  const state = textIn(body, 'state');
  const payload = state === undefined ? {} : { state };
  putIntoOutbox(server, { client, stream }, { type: VERIFICATION, payload, subject: streamSubject(stream) });
  server.realm.changeAttributes(client, { [LAST_VERIFIED_AT]: String(server.clock.now()) });
  return NO_CONTENT;
}

function refuseTooEarly({ lastVerifiedAt, minVerificationInterval }: Stream, now: number): void {
  const interval = minVerificationInterval ?? DEFAULT_INTERVAL_SECONDS;
  const left = lastVerifiedAt === undefined ? 0 : interval - (now - lastVerifiedAt);
  if (left <= 0) return;
  const error_description = `Wait at least ${left} seconds before triggering another verification`;
  throw new SsfRefusal(429, { error: 'too_many_requests', error_description });
}

const refused = (status: number, error_description: string): SsfRefusal =>
  new SsfRefusal(status, { error: 'stream_verification_error', error_description });
