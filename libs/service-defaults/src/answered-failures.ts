import type { ServerResponse } from 'node:http';

const codes = new WeakMap<ServerResponse, string>();

/** The code becomes a metric attribute, so it must come from a closed list. */
export const noteFailure = (answer: ServerResponse, code: string): void => void codes.set(answer, code);

/** Returns undefined for the library's refusals, because the library itself counts refusals. */
export const failureOf = (answer: ServerResponse): string | undefined => codes.get(answer);
