import { bearerToken, type HttpCall } from '../http/http-call.js';
import type { RealmClient } from '../realm/realm-representation.js';
import type { ServerState } from '../state/server-state.js';
import { findLiveAccessToken, type LiveToken } from '../grants/live-token.js';
import { toRecord, toTexts } from '../realm/realm-representation.js';
import { NOT_PERMITTED, SsfRefusal } from './ssf-refusal.js';
import { attributeOf, isReceiver, streamOf, type Stream } from '../streams/stream.js';
import type { SsfScope } from '../streams/transmitter.js';

export interface SsfRequest {
  readonly server: ServerState;
  readonly call: HttpCall;
  readonly token: LiveToken;
}

export async function authenticated(server: ServerState, call: HttpCall): Promise<SsfRequest> {
  const token = await findLiveAccessToken(server, bearerToken(call) ?? '');
  if (token === undefined) throw new SsfRefusal(401, { error: 'HTTP 401 Unauthorized' });
  return { server, call, token };
}

export function receiverWith({ token }: SsfRequest, scope: SsfScope): RealmClient {
  const { client, user, claims } = token;
  if (!isReceiver(client)) throw NOT_PERMITTED;
  const isOwn = client.serviceAccount && user.serviceAccountOf === client.clientId;
  if (!isOwn && attributeOf(client, 'ssf.requireServiceAccount')?.toLowerCase() !== 'false') throw NOT_PERMITTED;
  const role = attributeOf(client, 'ssf.requiredRole');
  if (role !== undefined && !toTexts(toRecord(claims['realm_access'])['roles']).includes(role)) throw NOT_PERMITTED;
  if (
    !String(claims['scope'] ?? '')
      .split(' ')
      .includes(scope)
  )
    throw NOT_PERMITTED;
  return client;
}

export function ownStream(client: RealmClient, id: string | undefined): Stream | undefined {
  const stream = streamOf(client);
  return stream?.id === id ? stream : undefined;
}
