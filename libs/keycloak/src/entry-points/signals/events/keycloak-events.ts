import { ConfigurationError, ConfigurationFaults, DeadlineCache, type IssuedToken } from '../../ports/signals.js';
import { identifier } from '../identifiers.js';
import {
  SignalSourceError,
  type ConnectedSignalSource,
  type Signals,
  type SignalSource,
  type SignalSourceContext,
} from '../signal-source.js';
import { adminEventSignal } from './admin-event-signals.js';
import { EventLogClient, type EventLogSettings, type ReadEvents } from './event-log-client.js';
import { CLIENT_LOGIN, OwnLogins, type LookedFor } from './own-logins.js';
import { USER_EVENT_TYPES, userEventSignal, type EventRepresentation, type EventSignal } from './user-event-signals.js';

export interface KeycloakEventsOptions {
  /**
   * The overlap of two polls, in seconds. An event becomes visible when its transaction commits, but carries an earlier
   * time. Default 10, 1 to 120.
   */
  readonly overlapSeconds?: number;
}

const SETTINGS_EVERY_MS = 60_000;

const MAX_EAGER_PROOFS = 3;

const MAX_KNOWN = 100_000;

/**
 * Returns a signal source for `RevocationEventsModule` that reads a realm's user and admin events
 * (`/admin/realms/{realm}/events`, `/admin-events`). The realm must save user and admin events, and the client's
 * service account needs the role `view-events` of `realm-management`. The role `view-events` reveals the logins and
 * addresses of all users: give it to one service only.
 *
 * An empty event log proves nothing, so the service logs in at least every five seconds and looks for its login in the
 * log.
 *
 * Throws `ConfigurationError`.
 */
export function keycloakEvents(options: KeycloakEventsOptions = {}): SignalSource {
  const { overlapSeconds = 10, ...others } = Object(options) as KeycloakEventsOptions;
  const faults = new ConfigurationFaults();
  for (const other of Object.keys(others)) faults.fault(`unknown option "${other}"`);
  const overlapMs = faults.integer('overlapSeconds', overlapSeconds, 1, 120) * 1000;
  faults.throwIfFaulty((all) => new ConfigurationError("keycloakEvents() can't be used", all));
  return { name: 'keycloak_events', connect: (context) => new KeycloakEvents(context, overlapMs) };
}

class KeycloakEvents implements ConnectedSignalSource {
  readonly #log: EventLogClient;
  readonly #logins: OwnLogins;
  readonly #known: DeadlineCache<true>;
  #token: IssuedToken | undefined;
  #wasUnsaved = false;
  #readMs = -Infinity;
  #proveAtMs = -Infinity;
  #unseen = 0;
  #settingsAtMs = -Infinity;
  #settingsFault: SignalSourceError | undefined;

  constructor(
    private readonly context: SignalSourceContext,
    private readonly overlapMs: number,
  ) {
    const { realmUrl, fetch, clock, clientId } = context;
    this.#log = new EventLogClient(realmUrl, fetch);
    this.#logins = new OwnLogins(this.#log, clientId, clock);
    this.#known = new DeadlineCache(MAX_KNOWN, clock);
  }

  async poll(sinceMs: number): Promise<Signals> {
    const beganMs = this.context.clock.monotonicMs();
    const needsProof = this.#token === undefined || beganMs >= this.#proveAtMs;
    try {
      return await this.#poll(beganMs, sinceMs, needsProof);
    } catch (error) {
      // An event that revokes all tokens also revokes this service's token, so log in again.
      if (needsProof || !(error instanceof SignalSourceError) || error.reason !== 'forbidden') throw error;
      return this.#poll(beganMs, sinceMs, true);
    }
  }

  async #poll(beganMs: number, sinceMs: number, needsProof: boolean): Promise<Signals> {
    const { clock, serverSeconds } = this.context;
    const token = await this.#logIn(needsProof);
    // The server's time is known only after the first token response.
    const began = serverSeconds() * 1000 - (clock.monotonicMs() - beganMs);
    if (beganMs >= this.#settingsAtMs + SETTINGS_EVERY_MS) {
      this.#settingsFault = settingsFault(await this.#log.settings(token.reveal()));
      this.#settingsAtMs = beganMs;
    }
    const since = this.#since(beganMs, began, sinceMs, needsProof);
    const [users, administrators, login] = await this.#read(token, since, needsProof);
    const isSavedAgain = this.#wasUnsaved && this.#settingsFault === undefined;
    this.#wasUnsaved = this.#settingsFault !== undefined;
    const isWhole = users.isWhole && administrators.isWhole && login?.isSameLog !== false && !isSavedAgain;
    // No later step may fail, because `#news` returns each event only once.
    this.#readMs = beganMs;
    const news = [...this.#news(users, userEventSignal), ...this.#news(administrators, adminEventSignal)];
    const signals = news.map(({ signal }) => signal);
    const fault = this.#settingsFault ?? (login && this.#proofFault(login, beganMs));
    return {
      denials: signals.flatMap((signal) => ('denial' in signal ? signal.denial : [])),
      rechecks: signals.flatMap((signal) => ('recheck' in signal ? signal.recheck : [])),
      isWhole,
      isHealthy: needsProof && isWhole && fault === undefined,
      fault,
      occurredAtMs: news[0] && Math.min(...news.map(({ atMs }) => atMs)),
    };
  }

  /**
   * Uses the time of this service's last login as a limit, because a proxy may send a server time that is too late. A
   * proof must cover all events since the last login, unless another replica has polled in the meantime.
   */
  #since(beganMs: number, serverMs: number, sinceMs: number, needsProof: boolean): number {
    const last = this.#logins.lastSeen(beganMs);
    if (last === undefined) return serverMs - sinceMs - this.overlapMs;
    const since = Math.min(serverMs, last.time + beganMs - last.atMs) - sinceMs;
    const isReceivedByOthers = beganMs - sinceMs > this.#readMs;
    return (needsProof && !isReceivedByOthers ? Math.min(since, last.time) : since) - this.overlapMs;
  }

  async #logIn(needsProof: boolean): Promise<IssuedToken> {
    if (this.#token === undefined || needsProof) this.#token = await this.context.login();
    return this.#token;
  }

  async #read(
    token: IssuedToken,
    sinceMs: number,
    needsProof: boolean,
  ): Promise<[users: ReadEvents, administrators: ReadEvents, login: LookedFor | undefined]> {
    const text = token.reveal();
    const types = USER_EVENT_TYPES.map((type): [string, string] => ['type', type]);
    return Promise.all([
      this.#log.since(text, 'events', sinceMs, types),
      this.#log.since(text, 'admin-events', sinceMs),
      needsProof ? this.#logins.look(text, sinceMs) : undefined,
    ]);
  }

  #proofFault({ isSeen }: LookedFor, beganMs: number): SignalSourceError | undefined {
    this.#unseen = isSeen ? 0 : this.#unseen + 1;
    // A login may appear late in the event log, so the next polls log in again and search the log.
    this.#proveAtMs =
      this.#unseen > 0 && this.#unseen < MAX_EAGER_PROOFS ? beganMs : beganMs + this.context.proofEveryMs;
    if (isSeen) return undefined;
    this.#settingsAtMs = -Infinity;
    return new SignalSourceError(
      'own_login_not_seen',
      'This service has just logged in, but the event log has no such event. Check that the realm saves user events (Realm settings, Events), that the clocks of this machine and Keycloak agree, and that no other server answers here.',
    );
  }

  #news(
    { events }: ReadEvents,
    signalOf: (event: EventRepresentation) => EventSignal | undefined,
  ): { readonly signal: EventSignal; readonly atMs: number }[] {
    return events.flatMap((event) => {
      const id = identifier(event['id']);
      if (id !== undefined) {
        const isKnown = this.#known.get(id) === true;
        this.#known.set(id, true, 2 * this.overlapMs + REMEMBERED_MS);
        if (isKnown) return [];
      }
      const signal = signalOf(event);
      return signal === undefined ? [] : { signal, atMs: Number(event['time']) };
    });
  }
}

/** A poll may be late, so event ids are remembered longer than the overlap. */
const REMEMBERED_MS = 60_000;

function settingsFault({
  eventsEnabled,
  enabledEventTypes,
  adminEventsEnabled,
}: EventLogSettings): SignalSourceError | undefined {
  if (!eventsEnabled) {
    return new SignalSourceError(
      'events_disabled',
      'Switch on "Save events" (Realm settings, Events, User events settings).',
    );
  }
  if (!adminEventsEnabled) {
    return new SignalSourceError(
      'admin_events_disabled',
      'Switch on "Save events" (Realm settings, Events, Admin events settings).',
    );
  }
  const missing = [...USER_EVENT_TYPES, CLIENT_LOGIN].filter((type) => !enabledEventTypes.includes(type));
  if (enabledEventTypes.length === 0 || missing.length === 0) return undefined;
  return new SignalSourceError('event_types_missing', `Add ${missing.join(', ')} to the saved event types.`);
}
