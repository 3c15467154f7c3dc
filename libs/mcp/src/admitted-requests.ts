import type { AdaptedRequest } from 'nestjs-keycloak-s2s/extension';

/** A property is faster than a `WeakMap` entry (perf: mcp). */
const ADMITTED = Symbol('nestjs-keycloak-s2s-mcp:admitted-request');

interface Marked {
  [ADMITTED]?: AdaptedRequest;
}

/** With Fastify, mcp-nest passes Node's request to its handlers, but the guard has admitted Fastify's request. */
export function rememberAdmitted(request: AdaptedRequest & { readonly raw?: unknown }): void {
  (request as Marked)[ADMITTED] = request;
  if (typeof request.raw === 'object' && request.raw !== null) (request.raw as Marked)[ADMITTED] = request;
}

export const admittedRequest = (given: unknown): AdaptedRequest | undefined => (Object(given) as Marked)[ADMITTED];
