import type { ContractServer } from './server.js';

type Members = Readonly<Record<string, unknown>>;

export type LoggedEvent = Members & { readonly id: string; readonly time: number };

/** `REFRESH_TOKEN` is included, although a realm does not store this type by default. */
const SAVED = [
  'CLIENT_LOGIN',
  'CODE_TO_TOKEN',
  'LOGIN',
  'LOGIN_ERROR',
  'LOGOUT',
  'REFRESH_TOKEN',
  'REVOKE_GRANT',
  'TOKEN_EXCHANGE',
  'USER_DISABLED_BY_PERMANENT_LOCKOUT',
  'USER_DISABLED_BY_TEMPORARY_LOCKOUT',
];

const ON = {
  eventsEnabled: true,
  enabledEventTypes: SAVED,
  adminEventsEnabled: true,
  adminEventsDetailsEnabled: true,
};

export const OFF = {
  eventsEnabled: false,
  eventsExpiration: 0,
  enabledEventTypes: [],
  adminEventsEnabled: false,
  adminEventsDetailsEnabled: false,
};

/** Event details that only Keycloak records, so the comparison ignores them. */
const NOT_COMPARED = ['code_id', 'age_of_refresh_token', 'access_token_expiration_time'];

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** Deletes all events of the realm and finally stops recording, so no other spec may use this realm. */
export async function whileRecording<T>({ administrator }: ContractServer, use: () => Promise<T>): Promise<T> {
  await administrator.change('PUT', '/events/config', ON);
  await administrator.change('DELETE', '/events');
  await administrator.change('DELETE', '/admin-events');
  try {
    return await use();
  } finally {
    await administrator.change('PUT', '/events/config', OFF);
  }
}

export async function userEvents(server: ContractServer, act: () => Promise<unknown>): Promise<unknown[]> {
  return whileRecording(server, async () => {
    await act();
    return (await readUserEvents(server)).map(shownEvent);
  });
}

export const readUserEvents = ({ administrator }: ContractServer, query = ''): Promise<LoggedEvent[]> =>
  administrator.read(`/events?direction=asc&max=1000${query}`);

export async function adminEvents(server: ContractServer, act: () => Promise<unknown>): Promise<unknown[]> {
  return whileRecording(server, async () => {
    await act();
    const events = await server.administrator.read<LoggedEvent[]>('/admin-events?direction=asc&max=1000');
    return events.map(({ authDetails, ...event }) => ({
      ...shownEvent(event),
      authDetails: shownMembers(authDetails),
    }));
  });
}

function shownEvent({ time, details, representation, sessionId, ...others }: Members): Members {
  return {
    ...shownMembers(others),
    time: `<${typeof time}>`,
    ...(sessionId === undefined ? {} : { sessionId: '<sid>' }),
    ...(details === undefined ? {} : { details: shownDetails(details as Members) }),
    ...(typeof representation === 'string' ? { representation: shown(JSON.parse(representation)) } : {}),
  };
}

function shownDetails(details: Members): Members {
  const compared = Object.entries(details).filter(([name]) => !NOT_COMPARED.includes(name));
  const { scope, not_before, ...others } = Object.fromEntries(compared);
  return {
    ...shownMembers(others),
    ...(typeof scope === 'string' ? { scope: scope.split(' ').toSorted() } : {}),
    ...(typeof not_before === 'string' ? { not_before: timeForm(not_before) } : {}),
  };
}

/** Java prints a time without seconds if the seconds are 0. */
const timeForm = (time: string): string => time.replaceAll(/\d/g, '9').replace(/T99:99$/, '$&:99');

const shownMembers = (members: unknown): Members =>
  Object.fromEntries(Object.entries(members as Members).map(([name, value]) => [name, shown(value, name)]));

function shown(value: unknown, name = ''): unknown {
  if (name === 'ipAddress') return '<address>';
  if (typeof value === 'string') return value.replace(UUID, '<uuid>').replace(/^sessions\/.*/, 'sessions/<sid>');
  if (Array.isArray(value)) return value.map((item) => shown(item));
  return typeof value === 'object' && value !== null ? shownMembers(value) : value;
}
