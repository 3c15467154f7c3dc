import { clientIn, scopeIn, type RealmFile } from '../support/realm-copy.js';

export const SECRET = 'the-secret-of-the-order-tools';
export const CALLBACK = 'http://localhost:7999/callback';

const ROLES = {
  'tools.use': ['order-viewer', 'order-manager'],
  'tools.receipts': ['order-viewer', 'order-manager'],
  'tools.approve': ['order-manager'],
};

export function addOrderTools(realm: RealmFile): void {
  const [like, service, login] = [
    scopeIn(realm, 'orders.read'),
    clientIn(realm, 'service-b'),
    clientIn(realm, 'demo-cli'),
  ];
  for (const [name, roles] of Object.entries(ROLES)) {
    const scope = { ...structuredClone(like), name };
    for (const { config } of scope.protocolMappers ?? []) config['included.client.audience'] = 'order-tools';
    realm.clientScopes.push(scope);
    realm.scopeMappings.push({ clientScope: name, roles });
  }
  const server = { ...structuredClone(service), clientId: 'order-tools', name: 'order-tools', secret: SECRET };
  realm.clients.push({ ...server, optionalClientScopes: ['orders.approve', 'receipts.read'] });
  const agent = { ...structuredClone(login), standardFlowEnabled: true, redirectUris: [CALLBACK] };
  // The official client requests `offline_access` if Keycloak's metadata name it.
  const optionalClientScopes = [...Object.keys(ROLES), 'offline_access'];
  realm.clients.push({ ...agent, clientId: 'agent', optionalClientScopes });
}
