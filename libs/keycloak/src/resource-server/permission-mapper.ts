import type { AccessTokenClaims } from '../protocol/claims.js';
import type { BearerRequest } from './bearer-token.js';

export interface PermissionContext {
  /** The value of `ExecutionContext.getType()`: `http`, `graphql`, `rpc`, `ws` … */
  readonly kind: string;
  /** The request of Express or Fastify, or the headers that a request adapter returns. */
  readonly request: BearerRequest;
}

/**
 * Derives a caller's permissions from the token's claims, in place of `scope`. The library calls the mapper for every
 * request, without a cache or time-out. If the mapper throws or rejects, the call fails with 500. `context` is
 * undefined in `AccessTokenVerifier.verify()`, which is called without a request.
 */
export type PermissionMapper = (
  claims: AccessTokenClaims,
  context: PermissionContext | undefined,
) => readonly string[] | Promise<readonly string[]>;

export function permissionList(result: unknown): readonly string[] {
  if (!Array.isArray(result) || !result.every((item) => typeof item === 'string')) {
    throw new TypeError('The option "mapPermissions" must return an array of strings');
  }
  return result;
}
