/** SSF 1.0 §8.1.1, checked in Keycloak's order. */
import type { HttpCall } from '../http/http-call.js';
import type { RealmClient } from '../realm/realm-representation.js';
import { bodyOf, objectIn, refuseOthers, textIn, textsIn, type Members } from './request-body.js';
import { isPollMethod } from '../streams/security-event-token.js';
import { notSupported, streamError, type SsfRefusal } from './ssf-refusal.js';
import { attributeOf, type Delivery } from '../streams/stream.js';

export interface StreamRequest {
  readonly streamId: string | undefined;
  readonly description: string | undefined;
  readonly eventsRequested: readonly string[] | undefined;
  readonly delivery: Delivery | undefined;
  readonly ofTransmitter: readonly string[];
}

const OF_TRANSMITTER = ['iss', 'aud', 'format'];
const MEMBERS = ['description', 'events_requested', 'delivery', ...OF_TRANSMITTER];
const PUSH_METHODS = ['urn:ietf:rfc:8935', 'https://schemas.openid.net/secevent/risc/delivery-method/push'];

const MAX_EVENTS = 32;
const MAX_LENGTHS = {
  description: 255,
  'events_requested entry': 256,
  'delivery.endpoint_url': 512,
  'delivery.authorization_header': 1024,
} as const;

export function readStreamRequest(call: HttpCall, { isUpdate }: { isUpdate: boolean }): StreamRequest | undefined {
  const body = bodyOf(call);
  if (body === undefined) return undefined;
  const what = `StreamConfig${isUpdate ? 'Update' : 'Input'}Representation`;
  refuseOthers(body, isUpdate ? [...MEMBERS, 'stream_id'] : MEMBERS, what);
  const given: Members = { iss: textIn(body, 'iss'), aud: textsIn(body, 'aud'), format: textIn(body, 'format') };
  return {
    streamId: textIn(body, 'stream_id'),
    description: textIn(body, 'description'),
    eventsRequested: textsIn(body, 'events_requested'),
    delivery: readDelivery(objectIn(body, 'delivery')),
    ofTransmitter: OF_TRANSMITTER.filter((name) => given[name] !== undefined),
  };
}

function readDelivery(body: Members | undefined): Delivery | undefined {
  if (body === undefined) return undefined;
  const names = ['method', 'endpoint_url', 'authorization_header', 'additional_parameters'];
  refuseOthers(body, names, 'StreamDeliveryConfig');
  return {
    method: textIn(body, 'method') ?? '',
    endpoint_url: textIn(body, 'endpoint_url'),
    authorization_header: textIn(body, 'authorization_header'),
    additional_parameters: objectIn(body, 'additional_parameters'),
  };
}

export function refuseOfTransmitter({ ofTransmitter }: StreamRequest): void {
  if (ofTransmitter.length === 0) return;
  throw invalid(
    `[${ofTransmitter.join(', ')}] are transmitter-supplied under SSF 1.0 §8.1.1 and may only be set by receivers ` +
      'configured with the SSE_CAEP profile',
  );
}

export function refuseInvalid(
  { description, eventsRequested, delivery }: Pick<StreamRequest, 'description' | 'eventsRequested' | 'delivery'>,
  client: RealmClient,
): void {
  if (delivery === undefined) throw invalid('missing delivery configuration');
  if (delivery.method === '') throw invalid('missing delivery method');
  refuseMethod(delivery, client);
  refuseLonger('description', description);
  if (eventsRequested !== undefined && eventsRequested.length > MAX_EVENTS) {
    throw invalid(`events_requested exceeds ${MAX_EVENTS} entries`);
  }
  for (const type of eventsRequested ?? []) refuseLonger('events_requested entry', type);
  refuseLonger('delivery.endpoint_url', delivery.endpoint_url);
  refuseLonger('delivery.authorization_header', delivery.authorization_header);
}

function refuseMethod({ method, endpoint_url }: Delivery, client: RealmClient): void {
  if (isPollMethod(method)) return;
  if (!PUSH_METHODS.includes(method)) throw invalid('unsupported delivery method');
  if (endpoint_url === undefined) throw invalid('missing delivery endpoint push URL');
  if (attributeOf(client, 'ssf.validPushUrls') !== undefined) throw notSupported('delivery by push');
  throw streamError(400, "delivery method 'push' requires the receiver client to declare ssf.validPushUrls");
}

function refuseLonger(name: keyof typeof MAX_LENGTHS, text: string | undefined): void {
  const max = MAX_LENGTHS[name];
  if (text !== undefined && text.length > max) throw invalid(`${name} exceeds ${max} characters`);
}

const invalid = (why: string): SsfRefusal => streamError(400, `Invalid stream configuration: ${why}`);
