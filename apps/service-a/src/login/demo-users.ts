/** DEMO: the users whom the realm publishes with their passwords, and who they are. */
import type { IncomingHttpHeaders } from 'node:http';

export interface DemoUser {
  readonly name: string;
  readonly who: string;
}

export const DEMO_USERS: readonly DemoUser[] = [
  { name: 'alice', who: 'manages orders: the chain runs for her' },
  { name: 'bob', who: 'may only view orders: Service B is closed to him' },
];

/** From our own page, or as it was typed. Another site must not end a session by a link that names another user. */
const WILLED = new Set<unknown>(['same-origin', 'none']);

/** The user whom `?as=` names, if it is one of these and the visitor's own will. */
export function demoUserWanted(as: unknown, headers: IncomingHttpHeaders): string | undefined {
  if (!WILLED.has(headers['sec-fetch-site'])) return undefined;
  return DEMO_USERS.find(({ name }) => name === as)?.name;
}
