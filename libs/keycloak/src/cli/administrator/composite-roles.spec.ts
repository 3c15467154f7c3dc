import { expect, it } from '@jest/globals';
import type { AdminApi } from './admin-api.js';
import { mappedRoles, rolesWithin } from './composite-roles.js';
import { roleKey } from './role-key.js';

const LISTS: Readonly<Record<string, readonly object[]>> = {
  '/scope/realm/composite': [{ name: 'inventory.clerk' }],
  '/scope/clients/7/composite': [{ name: 'clerk' }],
  '/user/realm/composite': [{ id: '4', name: 'staff', composite: true }],
  '/roles-by-id/4/composites': [{ id: '3', name: 'clerk', clientRole: true, containerId: '7' }],
  '/roles-by-id/1/composites': [
    { id: '2', name: 'inventory.clerk' },
    { id: '3', name: 'clerk', clientRole: true, containerId: '7' },
  ],
};

const OBJECTS: Readonly<Record<string, object>> = {
  '/scope': { clientMappings: { inventory: { id: '7', client: 'inventory' } } },
  '/user': { realmMappings: [{ id: '4', name: 'staff', composite: true }] },
  '/clients/7': { clientId: 'inventory' },
};

const API = {
  read: async (path: string) => OBJECTS[path],
  readList: async (path: string) => LISTS[path],
} as unknown as AdminApi;

it('a realm role and a client role with the same dotted name are different roles', async () => {
  const both = [roleKey(null, 'inventory.clerk'), roleKey('inventory', 'clerk')];
  expect(await mappedRoles(API, '/scope')).toEqual(both);
  const all = await rolesWithin(API, { id: '1', name: 'all', composite: true });
  expect(all).toEqual(new Set([roleKey(null, 'all'), ...both]));
});

it('the roles of a user include client roles within a realm role', async () => {
  expect(await mappedRoles(API, '/user')).toEqual([roleKey(null, 'staff'), roleKey('inventory', 'clerk')]);
});
