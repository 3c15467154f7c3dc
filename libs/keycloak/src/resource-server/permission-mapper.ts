/** PermissionMapper: makes the permissions of a caller out of the claims of its token. */
import type { AccessTokenClaims } from '../protocol/claims.js';
import type { BearerRequest } from './bearer-token.js';

/** The call whose caller has the permissions. */
export interface PermissionContext {
  /** As `ExecutionContext.getType()` says it: `http`, `graphql`, `rpc`, `ws` … */
  readonly kind: string;
  /** The request of Express or Fastify; of other kinds what the adapter gives, which has `headers`. */
  readonly request: BearerRequest;
}

/**
 * Makes a caller's permissions out of the claims of a token. They replace the members of `scope`. The library calls it for every request and keeps
 * no result: a mapper that asks a database caches its answers itself. If it throws or rejects, the call fails as by an error of the application (500).
 * The library sets no time-out for it.
 *
 * `AccessTokenVerifier.verify()` has no call, so `context` is undefined there.
 */
export type PermissionMapper = (
  claims: AccessTokenClaims,
  context: PermissionContext | undefined,
) => readonly string[] | Promise<readonly string[]>;

/** Throws `TypeError` unless a mapper returned an array of strings. */
export function permissionList(result: unknown): readonly string[] {
  if (!Array.isArray(result) || !result.every((item) => typeof item === 'string')) {
    throw new TypeError('The option "mapPermissions" must give an array of strings');
  }
  return result;
}
