/** DEMO: the users that the realm publishes with their passwords. */
import type { IncomingHttpHeaders } from 'node:http';

export interface DemoUser {
  readonly name: string;
  readonly who: string;
}

export const DEMO_USERS: readonly DemoUser[] = [
  { name: 'alice', who: 'manages orders: the chain runs for her' },
  { name: 'bob', who: 'may only view orders: Service B is closed to him' },
];

/** Sent by the service's own pages, or for a typed URL: a link on another site must not end a session. */
const BY_THE_VISITOR = new Set<unknown>(['same-origin', 'none']);

export function demoUserWanted(as: unknown, headers: IncomingHttpHeaders): string | undefined {
  if (!BY_THE_VISITOR.has(headers['sec-fetch-site'])) return undefined;
  return DEMO_USERS.find(({ name }) => name === as)?.name;
}
