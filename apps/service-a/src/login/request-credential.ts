/** Request credential: which credential authenticates a request that carries several. */
import { verifiedTokenOf } from 'nestjs-keycloak-s2s';

/**
 * Whether the guard admitted the request by a token. If not, its session, if any, authenticates it, and the rules for sessions
 * apply. An `Authorization` header alone proves nothing: browsers send one by themselves after a proxy has asked for it, and on a
 * `@Public()` route no guard checks it.
 */
export function isAuthenticatedByToken(request: object): boolean {
  return verifiedTokenOf(request) !== undefined;
}
