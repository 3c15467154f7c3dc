import { ADMIN } from '../../running-server.js';
import { Realm } from './realm.js';

export const MASTER = 'master';
export const ADMIN_ROLE = 'admin';

const REPRESENTATION = {
  accessTokenLifespan: 60,
  roles: { realm: [{ name: ADMIN_ROLE }] },
  clientScopes: ['profile', 'email'].map((name) => ({ name, attributes: { 'include.in.token.scope': 'true' } })),
  clients: [
    {
      clientId: 'admin-cli',
      publicClient: true,
      standardFlowEnabled: false,
      directAccessGrantsEnabled: true,
      defaultClientScopes: ['profile', 'email'],
      attributes: { 'client.use.lightweight.access.token.enabled': 'true' },
    },
  ],
  users: [
    {
      username: ADMIN.username,
      enabled: true,
      credentials: [{ type: 'password', value: ADMIN.password }],
      realmRoles: [ADMIN_ROLE],
    },
  ],
};

export const masterRealm = (): Realm => new Realm(MASTER, REPRESENTATION);
