import { verifiedTokenOf } from 'nestjs-keycloak-s2s';

/**
 * The presence of an `Authorization` header does not prove that the caller is not a browser. After a proxy has
 * requested credentials, a browser repeats the header. On a `@Public()` route, no guard checks the header.
 */
export function isAuthenticatedByToken(request: object): boolean {
  return verifiedTokenOf(request) !== undefined;
}
