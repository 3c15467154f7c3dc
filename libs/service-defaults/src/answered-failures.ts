import type { ServerResponse } from 'node:http';

const codes = new WeakMap<ServerResponse, string>();

/** The code becomes an attribute of a metric, so it must come from a closed list. */
export const noteFailure = (answer: ServerResponse, code: string): void => void codes.set(answer, code);

/** Refusals by the library have no code here, since the library has a metric for refusals. */
export const failureOf = (answer: ServerResponse): string | undefined => codes.get(answer);
