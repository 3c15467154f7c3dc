/** RFC 8417. */
import { randomUUID } from 'node:crypto';
import type { RealmClient } from '../realm/realm-representation.js';
import type { ServerState } from '../state/server-state.js';
import { signWithOverrides, type TokenOverrides } from '../state/forged-token.js';
import type { Stream } from './stream.js';

export interface SecurityEvent {
  readonly type: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly subject: Readonly<Record<string, unknown>>;
}

export interface Receiver {
  readonly client: RealmClient;
  readonly stream: Stream;
}

export interface Dispatch {
  readonly status?: 'PENDING' | 'HELD';
  readonly overrides?: TokenOverrides;
}

const POLL_METHODS = ['urn:ietf:rfc:8936', 'https://schemas.openid.net/secevent/risc/delivery-method/poll'];

export const isPollMethod = (method: string): boolean => POLL_METHODS.includes(method);

export const canBeSent = ({ delivery, aud }: Stream): boolean =>
  delivery !== undefined && isPollMethod(delivery.method) && (delivery.endpoint_url === undefined || aud !== undefined);

export function putIntoOutbox(
  server: ServerState,
  { client, stream }: Receiver,
  { type, payload, subject }: SecurityEvent,
  { status = 'PENDING', overrides = {} }: Dispatch = {},
): string {
  const jti = randomUUID();
  const aud = stream.aud?.length === 1 ? stream.aud[0] : stream.aud;
  const claims = {
    jti,
    iss: server.issuer,
    iat: server.clock.now(),
    ...(stream.delivery?.endpoint_url === undefined ? {} : { aud }),
    events: { [type]: payload },
    sub_id: subject,
    txn: randomUUID(),
  };
  const jws = signWithOverrides(server.keys, claims, 'secevent+jwt', overrides);
  server.outbox.add({ jti, receiver: client.id, type, createdAt: server.clock.nowMs(), jws }, status);
  return jti;
}

export const streamSubject = ({ id }: Stream) => ({ format: 'opaque', id });
