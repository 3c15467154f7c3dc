/** refuseByRealm(): the refusals that hold for a whole realm, over http or while it is disabled. */
import { OAuthRefusal } from './grants/oauth-refusal.js';
import type { Realm } from './realm/realm.js';

/** The checks that an endpoint of Keycloak makes. Some endpoints, such as userinfo, make neither. */
export type RealmCheck = 'https' | 'https and enabled';

/** Throws `OAuthRefusal`. */
export function refuseByRealm({ settings }: Pick<Realm, 'settings'>, check: RealmCheck | undefined): void {
  if (check === undefined) return;
  if (settings.sslRequired === 'all') throw new OAuthRefusal(403, 'invalid_request', 'HTTPS required');
  if (check === 'https and enabled' && !settings.enabled) {
    throw new OAuthRefusal(403, 'access_denied', 'Realm not enabled');
  }
}
