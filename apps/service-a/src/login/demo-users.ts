/** DEMO: the users whose names and passwords the realm publishes. */
import type { IncomingHttpHeaders } from 'node:http';

export interface DemoUser {
  readonly name: string;
  readonly who: string;
}

export const DEMO_USERS: readonly DemoUser[] = [
  { name: 'alice', who: 'manages orders: the chain runs for her' },
  { name: 'bob', who: 'may only view orders: Service B is closed to him' },
];

/** A link on another site must not end a session. */
const BY_THE_VISITOR = new Set<unknown>(['same-origin', 'none']);

export function demoUserWanted(as: unknown, headers: IncomingHttpHeaders): string | undefined {
  if (!BY_THE_VISITOR.has(headers['sec-fetch-site'])) return undefined;
  return DEMO_USERS.find(({ name }) => name === as)?.name;
}
