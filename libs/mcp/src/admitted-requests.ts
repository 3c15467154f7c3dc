import type { AdaptedRequest } from 'nestjs-keycloak-s2s/extension';

const admitted = new WeakMap<object, AdaptedRequest>();

/** With Fastify, mcp-nest passes Node's request to its handlers, but the guard has admitted Fastify's request. */
export function rememberAdmitted(request: AdaptedRequest & { readonly raw?: unknown }): void {
  admitted.set(request, request);
  if (typeof request.raw === 'object' && request.raw !== null) admitted.set(request.raw, request);
}

export const admittedRequest = (given: unknown): AdaptedRequest | undefined => admitted.get(Object(given) as object);
