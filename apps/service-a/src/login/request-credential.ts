import { verifiedTokenOf } from 'nestjs-keycloak-s2s';

/**
 * An `Authorization` header is not enough, since a browser repeats this header after a proxy has requested credentials.
 * On a `@Public()` route, no guard checks the header.
 */
export function isAuthenticatedByToken(request: object): boolean {
  return verifiedTokenOf(request) !== undefined;
}
