import { randomBytes, randomUUID } from 'node:crypto';
import { MASK, recordAdminEvent } from '../events/record-admin-event.js';
import type { HttpAnswer } from '../http/http-call.js';
import { toRecord, type RealmClient } from '../realm/realm-representation.js';
import { created, DONE, found } from './admin-answer.js';
import { AdminRefusal, notFound, notImplemented } from './admin-refusal.js';
import { objectIn, type AdminRequest } from './admin-request.js';
import { clientRepresentation } from './client-representation.js';
import { userRepresentation } from './user-representation.js';

const SEARCH_PARAMETERS = ['clientId', 'search'];

export function findClients({ server, call: { query } }: AdminRequest): HttpAnswer {
  const other = [...query.keys()].find((name) => !SEARCH_PARAMETERS.includes(name));
  if (other !== undefined) throw notImplemented(`a search of clients by ${other}`);
  const wanted = query.get('clientId') ?? undefined;
  const isWanted = ({ clientId }: RealmClient): boolean =>
    wanted === undefined || (query.get('search') === 'true' ? clientId.includes(wanted) : clientId === wanted);
  return found(server.realm.clients().filter(isWanted).map(clientRepresentation));
}

export function createClient(request: AdminRequest): HttpAnswer {
  const { realm } = request.server;
  const json = objectIn(request.call);
  const id = randomUUID();
  const secret = json['publicClient'] === true ? {} : { secret: randomBytes(32).toString('base64url') };
  const client = { clientId: id, ...secret, ...json, id };
  if (realm.client(String(client.clientId)) !== undefined) {
    throw new AdminRefusal(409, { errorMessage: `Client ${String(client.clientId)} already exists` });
  }
  realm.addClient(client);
  const representation = { ...json, id };
  recordAdminEvent(request, { operation: 'CREATE', resource: 'CLIENT', path: `clients/${id}`, representation });
  return created(request.call, id);
}

export const readClient = (request: AdminRequest): HttpAnswer => found(clientRepresentation(clientOf(request)));

export function updateClient(request: AdminRequest): HttpAnswer {
  const client = clientOf(request);
  const json = objectIn(request.call);
  const before = clientRepresentation(client);
  const attributes = withoutEmpty({ ...before.attributes, ...toRecord(json['attributes']) });
  const after = { ...before, ...json, attributes };
  if (after.clientId !== client.clientId) {
    if (request.server.realm.client(after.clientId) === undefined) throw notImplemented('other ids for clients');
    throw new AdminRefusal(409, { error: 'conflict', error_description: 'Duplicate resource error' });
  }
  request.server.realm.replaceClient(client, after);
  recordAdminEvent(request, { operation: 'UPDATE', resource: 'CLIENT', representation: json });
  return DONE;
}

const withoutEmpty = (attributes: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== '' && value !== null));

export function deleteClient(request: AdminRequest): HttpAnswer {
  const { id, clientId } = clientOf(request);
  request.server.realm.removeClient(clientOf(request));
  request.server.outbox.deleteAll(id);
  recordAdminEvent(request, { operation: 'DELETE', resource: 'CLIENT', representation: { id, clientId } });
  return { ...DONE, headers: { 'cache-control': 'no-cache' } };
}

export const readSecret = (request: AdminRequest): HttpAnswer => secretOf(clientOf(request));

export function regenerateSecret(request: AdminRequest): HttpAnswer {
  const client = clientOf(request);
  const { realm } = request.server;
  realm.replaceClient(client, { ...clientRepresentation(client), secret: randomBytes(32).toString('base64url') });
  const representation = { type: 'secret', value: MASK };
  recordAdminEvent(request, { operation: 'ACTION', resource: 'CLIENT', representation });
  return secretOf(clientOf(request));
}

const secretOf = ({ secret }: RealmClient): HttpAnswer => found({ type: 'secret', value: secret });

export function readServiceAccount(request: AdminRequest): HttpAnswer {
  const client = clientOf(request);
  const account = client.serviceAccount ? request.server.realm.serviceAccountOf(client) : undefined;
  if (account !== undefined) return found(userRepresentation(account));
  throw new AdminRefusal(400, { error: `Service account not enabled for the client '${client.clientId}'` });
}

export function clientOf({ server, id }: AdminRequest): RealmClient {
  const client = server.realm.clientById(id);
  if (client === undefined) throw notFound('Could not find client');
  return client;
}
