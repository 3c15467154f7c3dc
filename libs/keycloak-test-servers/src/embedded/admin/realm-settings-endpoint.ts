import { isDeepStrictEqual } from 'node:util';
import { recordAdminEvent } from '../events/record-admin-event.js';
import type { HttpAnswer } from '../http/http-call.js';
import { toRecord } from '../realm/realm-representation.js';
import { isSetting, pickSettings, type RealmSettings } from '../realm/realm-settings.js';
import type { ServerState } from '../state/server-state.js';
import { addSsfScopes, hasTransmitter, TRANSMITTER_ENABLED } from '../streams/transmitter.js';
import { DONE, found } from './admin-answer.js';
import { AdminRefusal, notImplemented } from './admin-refusal.js';
import { objectIn, type AdminRequest } from './admin-request.js';

export const readRealm = ({ server: { realm } }: AdminRequest): HttpAnswer => found(representationOf(realm));

export function updateRealm(request: AdminRequest): HttpAnswer {
  const { realm } = request.server;
  const json = objectIn(request.call);
  const same: Readonly<Record<string, unknown>> = representationOf(realm);
  const { attributes = same['attributes'], ...members } = json;
  const others = Object.keys(members).filter((name) => !isSetting(name) && !isDeepStrictEqual(json[name], same[name]));
  if (!isDeepStrictEqual(fixed(attributes), fixed(same['attributes']))) others.push('attributes');
  if (others.length > 0) throw notImplemented(`these settings of a realm: ${others.join(', ')}`);
  Object.assign(realm.settings, settingsIn(json));
  switchTransmitter(request.server, toRecord(attributes)[TRANSMITTER_ENABLED]);
  recordAdminEvent(request, { operation: 'UPDATE', resource: 'REALM', representation: json });
  return DONE;
}

function fixed(attributes: unknown): object {
  const { [TRANSMITTER_ENABLED]: _, ...others } = toRecord(attributes);
  return others;
}

function switchTransmitter(server: ServerState, enabled: unknown): void {
  if (enabled === undefined) server.realm.attributes.delete(TRANSMITTER_ENABLED);
  else server.realm.attributes.set(TRANSMITTER_ENABLED, String(enabled));
  if (hasTransmitter(server)) addSsfScopes(server.realm);
}

function settingsIn(json: Readonly<Record<string, unknown>>): Partial<RealmSettings> {
  try {
    return pickSettings(json);
  } catch (error) {
    throw new AdminRefusal(400, { error: error instanceof Error ? error.message : String(error) });
  }
}

function representationOf({ id, name, settings, attributes }: AdminRequest['server']['realm']) {
  const { eventsExpiration, ...others } = settings;
  return {
    id,
    realm: name,
    attributes: Object.fromEntries(attributes),
    ...others,
    ...(eventsExpiration === 0 ? {} : { eventsExpiration }),
  };
}
