import { toRecord, type RealmClient } from '../realm/realm-representation.js';

export const clientRepresentation = (client: RealmClient) => ({
  ...client.representation,
  id: client.id,
  clientId: client.clientId,
  enabled: client.enabled,
  publicClient: client.isPublic,
  protocol: 'openid-connect',
  standardFlowEnabled: client.standardFlow,
  directAccessGrantsEnabled: client.passwordGrant,
  serviceAccountsEnabled: client.serviceAccount,
  fullScopeAllowed: client.fullScopeAllowed,
  redirectUris: client.redirectUris,
  notBefore: client.notBefore,
  attributes: toRecord(client.representation['attributes']),
  defaultClientScopes: client.defaultScopes,
  optionalClientScopes: client.optionalScopes,
});
