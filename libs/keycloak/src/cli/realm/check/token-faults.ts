import { error, type Finding } from '../../../checkup/finding.js';
import { hasSubject } from '../../administrator/realm-lookup.js';
import type { RealmClient, RealmSnapshot } from '../../administrator/realm-snapshot.js';

export function tokenFaults(client: RealmClient, realm: RealmSnapshot): Finding[] {
  const { clientId, isOpenIdConnect } = client;
  if (!isOpenIdConnect) {
    return [error('client', `${clientId} is no client of OpenID Connect.`, 'Create it with the type OpenID Connect.')];
  }
  if (hasSubject(realm, client)) return [];
  return [
    error(
      'client',
      `No default scope of ${clientId} has a mapper for \`sub\`, so its tokens have no subject.`,
      `Add the client scope basic at the client ${clientId} (Client scopes), as default.`,
    ),
  ];
}
