import { isDeepStrictEqual } from 'node:util';
import { recordAdminEvent } from '../events/record-admin-event.js';
import { savedEventTypes } from '../state/event-types.js';
import type { HttpAnswer } from '../http/http-call.js';
import { pickSettings, type RealmSettings } from '../realm/realm-settings.js';
import { DONE, found } from './admin-answer.js';
import { notImplemented } from './admin-refusal.js';
import { objectIn, unreadable, type AdminRequest } from './admin-request.js';

const SETTINGS = [
  'eventsEnabled',
  'eventsExpiration',
  'enabledEventTypes',
  'adminEventsEnabled',
  'adminEventsDetailsEnabled',
] as const;

const LISTENERS = ['jboss-logging'];

export function readEventsConfig({ server: { realm } }: AdminRequest): HttpAnswer {
  const { settings } = realm;
  const { eventsEnabled, eventsExpiration, adminEventsEnabled, adminEventsDetailsEnabled } = settings;
  return found({
    eventsEnabled,
    ...(eventsExpiration === 0 ? {} : { eventsExpiration }),
    eventsListeners: LISTENERS,
    enabledEventTypes: savedEventTypes(settings),
    adminEventsEnabled,
    adminEventsDetailsEnabled,
  });
}

export function updateEventsConfig(request: AdminRequest): HttpAnswer {
  const { settings } = request.server.realm;
  const json = objectIn(request.call);
  const { eventsListeners = LISTENERS, ...members } = json;
  const others = Object.keys(members).filter((name) => !SETTINGS.some((known) => known === name));
  if (!isDeepStrictEqual(eventsListeners, LISTENERS)) others.push('eventsListeners');
  if (others.length > 0) throw notImplemented(`these settings of events: ${others.join(', ')}`);
  Object.assign(settings, { eventsEnabled: false, eventsExpiration: 0, ...settingsIn(members) });
  // Unlike a realm update, this endpoint also records the request that switches recording on.
  const isRecorded = request.isRecorded || settings.adminEventsEnabled;
  recordAdminEvent({ ...request, isRecorded }, { operation: 'UPDATE', resource: 'REALM', representation: json });
  return DONE;
}

function settingsIn(members: Readonly<Record<string, unknown>>): Partial<RealmSettings> {
  try {
    return pickSettings(members);
  } catch {
    throw unreadable('unknown_error');
  }
}
