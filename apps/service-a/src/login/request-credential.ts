import { verifiedTokenOf } from 'nestjs-keycloak-s2s';

/**
 * An `Authorization` header alone is not proof: browsers repeat it after a proxy has requested it, and no guard checks
 * it on a `@Public()` route.
 */
export function isAuthenticatedByToken(request: object): boolean {
  return verifiedTokenOf(request) !== undefined;
}
