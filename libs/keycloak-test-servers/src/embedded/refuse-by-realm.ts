import { OAuthRefusal } from './grants/oauth-refusal.js';
import type { Realm } from './realm/realm.js';

/** As in Keycloak, some endpoints (such as userinfo) check neither HTTPS nor whether the realm is enabled. */
export type RealmCheck = 'https' | 'https and enabled';

export function refuseByRealm({ settings }: Pick<Realm, 'settings'>, check: RealmCheck | undefined): void {
  if (check === undefined) return;
  if (settings.sslRequired === 'all') throw new OAuthRefusal(403, 'invalid_request', 'HTTPS required');
  if (check === 'https and enabled' && !settings.enabled) {
    throw new OAuthRefusal(403, 'access_denied', 'Realm not enabled');
  }
}
