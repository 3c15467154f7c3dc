import { verifiedTokenOf } from 'nestjs-keycloak-s2s';

/**
 * An `Authorization` header alone proves nothing: browsers send it by themselves after a proxy has asked for it, and no
 * guard checks it on a `@Public()` route.
 */
export function isAuthenticatedByToken(request: object): boolean {
  return verifiedTokenOf(request) !== undefined;
}
