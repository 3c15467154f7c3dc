/** Answered failures: the code of an error with which a service answered 5xx itself, for the metric of its requests. */
import type { ServerResponse } from 'node:http';

const codes = new WeakMap<ServerResponse, string>();

/** `code`: from the closed list of the service, since it becomes an attribute of a metric. */
export const noteFailure = (answer: ServerResponse, code: string): void => void codes.set(answer, code);

/** Undefined for an answer that is not a failure of this kind, such as a refusal of the library, which has a metric of its own. */
export const failureOf = (answer: ServerResponse): string | undefined => codes.get(answer);
