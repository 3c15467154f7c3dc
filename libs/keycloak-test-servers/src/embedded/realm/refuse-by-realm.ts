/** refuseByRealm(): what a realm refuses as a whole: requests over http, and every request while the realm is disabled. */
import { OAuthRefusal } from '../tokens/oauth-refusal.js';
import type { Realm } from './realm.js';

/** What an endpoint of Keycloak checks of its realm. Some, such as userinfo, check neither. */
export type RealmCheck = 'https' | 'https and enabled';

/** Throws `OAuthRefusal`. */
export function refuseByRealm({ settings }: Pick<Realm, 'settings'>, check: RealmCheck | undefined): void {
  if (check === undefined) return;
  if (settings.sslRequired === 'all') throw new OAuthRefusal(403, 'invalid_request', 'HTTPS required');
  if (check === 'https and enabled' && !settings.enabled) {
    throw new OAuthRefusal(403, 'access_denied', 'Realm not enabled');
  }
}
