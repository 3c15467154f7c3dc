/** Like Keycloak, stores the stream only in attributes of the receiver's client. */
import { toRecord, type RealmClient } from '../realm/realm-representation.js';
import type { Realm } from '../realm/realm.js';
import { aliasOf, typeOf } from '../state/security-event-types.js';
import { isTrue } from './transmitter.js';

export const STATUSES = ['enabled', 'paused', 'disabled'] as const;
export type StreamStatus = (typeof STATUSES)[number];

export interface Delivery {
  readonly method: string;
  readonly endpoint_url?: string | undefined;
  readonly authorization_header?: string | undefined;
  readonly additional_parameters?: Readonly<Record<string, unknown>> | undefined;
}

export interface Stream {
  readonly id: string;
  readonly iss: string | undefined;
  readonly aud: readonly string[] | undefined;
  readonly eventsSupported: readonly string[] | undefined;
  readonly eventsRequested: readonly string[] | undefined;
  readonly eventsDelivered: readonly string[] | undefined;
  readonly delivery: Delivery | undefined;
  readonly description: string | undefined;
  readonly minVerificationInterval: number | undefined;
  readonly inactivityTimeout: number | undefined;
  /** The default for a user without an attribute for this receiver; `undefined` means `NONE`. */
  readonly defaultSubjects: 'ALL' | 'NONE' | undefined;
  readonly status: StreamStatus | undefined;
  readonly statusReason: string | undefined;
  readonly createdAt: number | undefined;
  readonly updatedAt: number | undefined;
  readonly lastVerifiedAt: number | undefined;
}

export const LAST_VERIFIED_AT = 'ssf.stream.lastVerifiedAt';
const ID = 'ssf.stream.id';

export const isReceiver = (client: RealmClient): boolean => isTrue(attributeOf(client, 'ssf.enabled'));

export function attributeOf({ representation }: RealmClient, name: string): string | undefined {
  const value = toRecord(representation['attributes'])[name];
  return value === undefined || value === null || value === '' ? undefined : String(value);
}

export function streamOf(client: RealmClient): Stream | undefined {
  const text = (name: string): string | undefined => attributeOf(client, `ssf.stream.${name}`);
  const number = (name: string): number | undefined => wholeNumber(attributeOf(client, name));
  const id = text('id');
  if (id === undefined) return undefined;
  const subjects = (text('defaultSubjects') ?? attributeOf(client, 'ssf.defaultSubjects'))?.toUpperCase();
  const status = text('status');
  return {
    id,
    iss: text('iss'),
    aud: split(text('aud')),
    eventsSupported: split(text('eventsSupported'))?.map(typeOf),
    eventsRequested: split(text('eventsRequested'))?.map(typeOf),
    eventsDelivered: split(text('eventsDelivered'))?.map(typeOf),
    delivery: deliveryOf(text),
    description: text('description'),
    minVerificationInterval: number('ssf.minVerificationInterval') ?? number('ssf.stream.minVerificationInterval'),
    inactivityTimeout: number('ssf.inactivityTimeoutSeconds') ?? number('ssf.stream.inactivityTimeout'),
    defaultSubjects: subjects === 'ALL' || subjects === 'NONE' ? subjects : undefined,
    status: STATUSES.find((known) => known === status),
    statusReason: text('statusReason'),
    createdAt: number('ssf.stream.createdAt'),
    updatedAt: number('ssf.stream.updatedAt'),
    lastVerifiedAt: number(LAST_VERIFIED_AT),
  };
}

function deliveryOf(text: (name: string) => string | undefined): Delivery | undefined {
  const method = text('delivery.method');
  if (method === undefined) return undefined;
  const more = text('delivery.additionalParameters');
  return {
    method,
    endpoint_url: text('delivery.endpointUrl'),
    authorization_header: text('delivery.authorizationHeader'),
    additional_parameters: more === undefined ? undefined : toRecord(JSON.parse(more)),
  };
}

export function saveStream(realm: Realm, client: RealmClient, stream: Stream): void {
  const { delivery } = stream;
  const more = delivery?.additional_parameters;
  realm.changeAttributes(client, {
    [ID]: stream.id,
    'ssf.stream.iss': stream.iss,
    'ssf.stream.aud': joined(stream.aud),
    'ssf.stream.eventsSupported': joined(stream.eventsSupported?.map(aliasOf)),
    'ssf.stream.eventsRequested': joined(stream.eventsRequested?.map(aliasOf)),
    'ssf.stream.eventsDelivered': joined(stream.eventsDelivered?.map(aliasOf)),
    'ssf.stream.delivery.method': delivery?.method,
    'ssf.stream.delivery.endpointUrl': delivery?.endpoint_url,
    'ssf.stream.delivery.authorizationHeader': delivery?.authorization_header,
    'ssf.stream.delivery.additionalParameters': more === undefined ? undefined : JSON.stringify(more),
    'ssf.stream.description': stream.description,
    'ssf.stream.minVerificationInterval': numberText(stream.minVerificationInterval),
    'ssf.stream.inactivityTimeout': numberText(stream.inactivityTimeout),
    'ssf.stream.defaultSubjects': stream.defaultSubjects,
    'ssf.stream.status': stream.status ?? 'enabled',
    'ssf.stream.statusReason': stream.statusReason,
    'ssf.stream.createdAt': numberText(stream.createdAt),
    'ssf.stream.updatedAt': numberText(stream.updatedAt),
    'ssf.stream.managedBy': 'RECEIVER',
  });
}

export function removeStream(realm: Realm, client: RealmClient): void {
  const names = Object.keys(toRecord(client.representation['attributes']));
  const gone = names.filter((name) => name.startsWith('ssf.stream.') && name !== LAST_VERIFIED_AT);
  realm.changeAttributes(client, Object.fromEntries(gone.map((name) => [name, undefined])));
}

export const streamRepresentation = (stream: Stream) => ({
  stream_id: stream.id,
  iss: stream.iss,
  aud: stream.aud,
  events_supported: stream.eventsSupported,
  events_requested: stream.eventsRequested,
  events_delivered: stream.eventsDelivered,
  delivery: stream.delivery,
  min_verification_interval: stream.minVerificationInterval,
  description: stream.description,
  inactivity_timeout: stream.inactivityTimeout,
  default_subjects: stream.defaultSubjects,
});

function split(text: string | undefined): readonly string[] | undefined {
  const parts = (text ?? '').split(',').map((part) => part.trim());
  const filled = [...new Set(parts.filter((part) => part !== ''))];
  return filled.length === 0 ? undefined : filled;
}

const joined = (texts: readonly string[] | undefined): string | undefined =>
  texts === undefined || texts.length === 0 ? undefined : texts.join(',');

const wholeNumber = (text: string | undefined): number | undefined =>
  text !== undefined && /^-?\d+$/.test(text) ? Number(text) : undefined;

const numberText = (value: number | undefined): string | undefined => (value === undefined ? undefined : String(value));
