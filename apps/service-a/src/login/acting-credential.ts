/** Acting credential: the one that a request acts by, when it brings several. */
import { verifiedTokenOf } from 'nestjs-keycloak-s2s';

/**
 * Whether a request acts by the token that it was admitted by; else it acts by its session, if it has one, and is held to
 * the rules of those. An `Authorization` header alone says nothing: browsers send one by themselves, once a proxy in front
 * has asked for it, and on a `@Public()` route nobody has looked at it.
 */
export function actsByToken(request: object): boolean {
  return verifiedTokenOf(request) !== undefined;
}
