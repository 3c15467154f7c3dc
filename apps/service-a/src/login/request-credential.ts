import { verifiedTokenOf } from 'nestjs-keycloak-s2s';

/**
 * A caller with an `Authorization` header may be a browser. After a proxy has requested credentials, a browser repeats
 * the header. On a `@Public()` route, no guard checks the header.
 */
export function isAuthenticatedByToken(request: object): boolean {
  return verifiedTokenOf(request) !== undefined;
}
