import { ConfigurationError, KeycloakException, type AuthorizationServerFetch } from '../../ports/signals.js';
import { SignalSourceError } from '../signal-source.js';
import type { EventRepresentation } from './user-event-signals.js';

/** A row of the event log has a few kilobytes, so a page fits into the maximum response size. */
const PAGE = 200;
const MAX_PAGES = 60;

export interface EventLogSettings {
  readonly eventsEnabled: boolean;
  /** The event types that the realm saves, or empty for the default types. */
  readonly enabledEventTypes: readonly string[];
  readonly adminEventsEnabled: boolean;
}

/** The events, oldest first; `isWhole` is false if the event log has more rows. */
export interface ReadEvents {
  readonly events: readonly EventRepresentation[];
  readonly isWhole: boolean;
}

type Log = 'events' | 'admin-events';

export class EventLogClient {
  readonly #realm: string;

  constructor(
    realmUrl: string,
    private readonly fetch: AuthorizationServerFetch['fetch'],
  ) {
    const at = realmUrl.lastIndexOf('/realms/');
    if (at < 0)
      throw new ConfigurationError("keycloakEvents() can't be used", [`${realmUrl} is not a realm of Keycloak`]);
    this.#realm = `${realmUrl.slice(0, at)}/admin${realmUrl.slice(at)}`;
  }

  async settings(token: string): Promise<EventLogSettings> {
    const found = Object(await this.#get(token, '/events/config')) as Readonly<Record<string, unknown>>;
    const types = found['enabledEventTypes'];
    return {
      eventsEnabled: found['eventsEnabled'] === true,
      enabledEventTypes: Array.isArray(types) ? types.filter((type) => typeof type === 'string') : [],
      adminEventsEnabled: found['adminEventsEnabled'] === true,
    };
  }

  /** Reads the events since `sinceMs`, a time by the server's clock. */
  async since(
    token: string,
    log: Log,
    sinceMs: number,
    filters: readonly [string, string][] = [],
  ): Promise<ReadEvents> {
    const events: EventRepresentation[] = [];
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const query = new URLSearchParams([
        ...filters,
        ['dateFrom', String(Math.max(0, Math.floor(sinceMs)))],
        ['direction', 'asc'],
        ['first', String(page * PAGE)],
        ['max', String(PAGE)],
      ]);
      let found: unknown;
      try {
        found = await this.#get(token, `/${log}?${query.toString()}`);
      } catch (error) {
        if (error instanceof KeycloakException && error.reason === 'answer_too_large')
          return { events, isWhole: false };
        throw error;
      }
      if (!Array.isArray(found) || found.length > PAGE || !found.every(isEvent)) throw unexpected(`/${log}`);
      events.push(...found);
      if (found.length < PAGE) return { events, isWhole: true };
    }
    return { events, isWhole: false };
  }

  async #get(token: string, path: string): Promise<unknown> {
    const response = await this.fetch(this.#realm + path, { headers: { authorization: `Bearer ${token}` } });
    const { status } = response;
    if (status === 401 || status === 403 || status === 404) {
      throw new SignalSourceError(
        'forbidden',
        `Keycloak answers ${status}. Check that the service account of this client has the role view-events of realm-management, and that the client has it in its scope.`,
      );
    }
    if (status !== 200) throw unexpected(`${path} (${status})`);
    return response.json().catch(() => {
      throw unexpected(path);
    });
  }
}

const isEvent = (value: unknown): value is EventRepresentation =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const unexpected = (what: string): SignalSourceError =>
  new SignalSourceError(
    'answered_unexpectedly',
    `The admin API does not answer ${what.split('?', 1)[0] ?? ''} in the format of Keycloak. Look for a proxy in front of it, or another version.`,
  );
