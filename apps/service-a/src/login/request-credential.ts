/** Request credential: which credential authenticates a request that carries several. */
import { verifiedTokenOf } from 'nestjs-keycloak-s2s';

/**
 * Whether the guard admitted the request by a token. If not, the rules for sessions apply. An `Authorization` header
 * alone proves nothing: browsers send it by themselves after a proxy has asked for it, and no guard checks it on a
 * `@Public()` route.
 */
export function isAuthenticatedByToken(request: object): boolean {
  return verifiedTokenOf(request) !== undefined;
}
