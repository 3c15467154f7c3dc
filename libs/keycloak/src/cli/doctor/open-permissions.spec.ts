import { expect, it } from '@jest/globals';
import type { Checkup } from '../../checkup/checkup.js';
import type { RealmClient, RealmScope, RealmSnapshot } from '../administrator/realm-snapshot.js';
import { NO_POLICY, policyOf, type PermissionPolicy } from '../policy/permission-policy.js';
import { clientFindings } from './client-findings.js';
import { handlerFindings } from './handler-findings.js';

const OWN = { clientId: 'catalog', isEnabled: true, mayExchange: true } as RealmClient;
const CLIENT: RealmClient = { ...OWN, defaultScopes: [], optionalScopes: ['products.read'], audiences: [] };
const AUDIENCE = { audience: 'catalog', isInAccessToken: true, isInIntrospection: true, isInLightweightToken: true };
const SCOPE = { name: 'products.read', isInTokenScope: true, audiences: [AUDIENCE] } as object as RealmScope;
const REALM = { clients: [CLIENT], scopes: [SCOPE], rolesOf: async () => [] } as object as RealmSnapshot;

const CALLED = { name: 'catalog', audience: 'catalog', scopes: { onBehalfOf: ['products.read'], asService: [] } };
const CHECKUP = {
  options: { clientId: 'catalog', expectedDefaultScopes: [] },
  services: [CALLED],
} as object as Checkup;
const HANDLER = { label: 'read', isClosed: false, permissions: ['products.read'], anyOf: [], clients: [] };

async function warnings(policy: PermissionPolicy): Promise<readonly string[]> {
  const findings = [
    ...(await handlerFindings(REALM, CHECKUP, [HANDLER], policy)),
    ...(await clientFindings(REALM, CHECKUP, [], policy)),
  ];
  expect(findings.filter(({ level }) => level === 'error')).toEqual([]);
  return findings.filter(({ level }) => level === 'warning').map(({ cure = '' }) => cure);
}

it.each<[string, PermissionPolicy, number]>([
  ['without a policy', NO_POLICY, 2],
  ['if the policy demands a role', policyOf({ permissions: { 'products.read': { roles: ['clerk'] } } }, 'file'), 2],
  ['unless the policy declares that', policyOf({ permissions: { 'products.read': { everyone: true } } }, 'file'), 0],
])('doctor warns that everyone may hold a permission %s', async (_, policy, count) => {
  const cure =
    'Assign the permitted roles at the client scope products.read (Scope). If everyone may hold it, declare "everyone": true for it in keycloak-permissions.json.';
  expect(await warnings(policy)).toEqual(Array.from({ length: count }, () => cure));
});
