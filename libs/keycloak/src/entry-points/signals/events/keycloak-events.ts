/** Keycloak events: hears of revocations by reading the realm's event log again and again. */
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
   * How far back each poll reads again: an event is seen when its change is committed, which may be later than its time. Default 10, 1 to 120.
   */
  readonly overlapSeconds?: number;
}

const SETTINGS_EVERY_MS = 60_000;

/** So often in a row it logs in at each poll, where its login is not seen. */
const MAX_EAGER_PROOFS = 3;

/** Rows that were read, and come again within the overlap. */
const MAX_KNOWN = 100_000;

/**
 * For `RevocationEventsModule`: the event log of a realm of Keycloak, users' and administrators' (`/admin/realms/{realm}/events`, `/admin-events`). The realm must save both, and the service account of this client needs
 * the role `view-events` of `realm-management`, which shows who logs in from where: give it to one service, and not to all.
 *
 * An empty log proves nothing. This service logs in every five seconds at the latest; when that login is in the log, all that was committed before it is, too. A log that no longer has the login of before has a gap. It reads the settings of the log each minute.
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
  /** Whether too little was saved when the log was read last: what that was, it does not have. */
  #wasUnsaved = false;
  /** The start of the last poll that had an answer; monotonic. */
  #readMs = -Infinity;
  #proveAtMs = -Infinity;
  /** How often in a row its own login was not in the log. */
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
    const isToBeProven = this.#token === undefined || beganMs >= this.#proveAtMs;
    try {
      return await this.#poll(beganMs, sinceMs, isToBeProven);
    } catch (error) {
      // What has ended all tokens has ended our own: that is no time to hear nothing.
      if (isToBeProven || !(error instanceof SignalSourceError) || error.reason !== 'forbidden') throw error;
      return this.#poll(beganMs, sinceMs, true);
    }
  }

  async #poll(beganMs: number, sinceMs: number, isToBeProven: boolean): Promise<Signals> {
    const { clock, serverSeconds } = this.context;
    const token = await this.#logIn(isToBeProven);
    // The first token tells the time of the server.
    const began = serverSeconds() * 1000 - (clock.monotonicMs() - beganMs);
    if (beganMs >= this.#settingsAtMs + SETTINGS_EVERY_MS) {
      this.#settingsFault = settingsFault(await this.#log.settings(token.reveal()));
      this.#settingsAtMs = beganMs;
    }
    const since = this.#since(beganMs, began, sinceMs, isToBeProven);
    const [users, administrators, login] = await this.#read(token, since, isToBeProven);
    const isSavedAgain = this.#wasUnsaved && this.#settingsFault === undefined;
    this.#wasUnsaved = this.#settingsFault !== undefined;
    const isWhole = users.isWhole && administrators.isWhole && login?.isSameLog !== false && !isSavedAgain;
    // From here on it is heard, and does not come again.
    this.#readMs = beganMs;
    const news = [...this.#news(users, userEventSignal), ...this.#news(administrators, adminEventSignal)];
    const signals = news.map(({ signal }) => signal);
    const fault = this.#settingsFault ?? (login && this.#proofFault(login, beganMs));
    return {
      denials: signals.flatMap((signal) => ('denial' in signal ? signal.denial : [])),
      rechecks: signals.flatMap((signal) => ('recheck' in signal ? signal.recheck : [])),
      isWhole,
      isProven: isToBeProven && isWhole && fault === undefined,
      fault,
      occurredAtMs: news[0] && Math.min(...news.map(({ atMs }) => atMs)),
    };
  }

  /**
   * From when on the log is read, by the server's time. That may be another one's, such as that of a proxy before it; so what the log itself had last counts, where that makes it earlier. What is to be proven is all that came since
   * then: what the log has shown meanwhile need not be all. Unless another replica has heard it.
   */
  #since(beganMs: number, serverMs: number, sinceMs: number, isToBeProven: boolean): number {
    const last = this.#logins.lastSeen(beganMs);
    if (last === undefined) return serverMs - sinceMs - this.overlapMs;
    const since = Math.min(serverMs, last.time + beganMs - last.atMs) - sinceMs;
    const isHeardByOthers = beganMs - sinceMs > this.#readMs;
    return (isToBeProven && !isHeardByOthers ? Math.min(since, last.time) : since) - this.overlapMs;
  }

  /** A new token where the log is to be proven: that it was asked for must come back. */
  async #logIn(isToBeProven: boolean): Promise<IssuedToken> {
    if (this.#token === undefined || isToBeProven) this.#token = await this.context.login();
    return this.#token;
  }

  async #read(
    token: IssuedToken,
    sinceMs: number,
    isToBeProven: boolean,
  ): Promise<[users: ReadEvents, administrators: ReadEvents, login: LookedFor | undefined]> {
    const text = token.reveal();
    const types = USER_EVENT_TYPES.map((type): [string, string] => ['type', type]);
    return Promise.all([
      this.#log.since(text, 'events', sinceMs, types),
      this.#log.since(text, 'admin-events', sinceMs),
      isToBeProven ? this.#logins.look(text, sinceMs) : undefined,
    ]);
  }

  #proofFault({ isSeen }: LookedFor, beganMs: number): SignalSourceError | undefined {
    this.#unseen = isSeen ? 0 : this.#unseen + 1;
    // A login may be slow to be seen, and is not made each second where none ever is.
    this.#proveAtMs =
      this.#unseen > 0 && this.#unseen < MAX_EAGER_PROOFS ? beganMs : beganMs + this.context.proofEveryMs;
    if (isSeen) return undefined;
    // Most likely somebody has changed the settings.
    this.#settingsAtMs = -Infinity;
    return new SignalSourceError(
      'own_login_not_seen',
      "This service has just logged in, and the event log does not have it: see that the realm saves user events (Realm settings, Events), that this machine's clock agrees with Keycloak's, and that no other server answers here.",
    );
  }

  /** What those that were not read before come to. */
  #news(
    { events }: ReadEvents,
    signalOf: (event: EventRepresentation) => EventSignal | undefined,
  ): { readonly signal: EventSignal; readonly atMs: number }[] {
    return events.flatMap((event) => {
      const id = identifier(event['id']);
      if (id !== undefined) {
        const isKnown = this.#known.get(id) === true;
        // For as long as it comes again.
        this.#known.set(id, true, 2 * this.overlapMs + REMEMBERED_MS);
        if (isKnown) return [];
      }
      const signal = signalOf(event);
      return signal === undefined ? [] : { signal, atMs: Number(event['time']) };
    });
  }
}

/** Beyond the overlap: a poll may be late. */
const REMEMBERED_MS = 60_000;

/** What keeps the log from telling all; undefined for nothing. */
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
  return new SignalSourceError('event_types_missing', `Add ${missing.join(', ')} to the event types that are saved.`);
}
