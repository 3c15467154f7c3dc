import type { ServerResponse } from 'node:http';

const codes = new WeakMap<ServerResponse, string>();

/** `code` becomes an attribute of a metric, so it must come from a closed list. */
export const noteFailure = (answer: ServerResponse, code: string): void => void codes.set(answer, code);

/** Returns undefined for other answers, such as refusals by the library, which has its own metric for refusals. */
export const failureOf = (answer: ServerResponse): string | undefined => codes.get(answer);
