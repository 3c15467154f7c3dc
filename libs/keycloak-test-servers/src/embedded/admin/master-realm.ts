/** The realm `master` of the administrator, with separate keys and issuer. */
import { ADMIN } from '../../running-server.js';
import { openRealm } from '../realm/open-realm.js';
import { Realm } from '../realm/realm.js';
import type { ServerRealms, ServerState } from '../server-state.js';
import { makeSigningKeys } from '../tokens/signing-keys.js';

export const MASTER = 'master';
/** The role that an administrator needs. */
export const ADMIN_ROLE = 'admin';

/** If the realm file describes `master` itself, it replaces this realm and its administrator. */
export function withMaster(main: ServerState): ServerRealms {
  let master: Promise<ServerState> | undefined;
  return {
    main,
    master: () => (master ??= main.realm.name === MASTER ? Promise.resolve(main) : newMaster(main)),
  };
}

async function newMaster({ baseUrl, clock }: ServerState): Promise<ServerState> {
  return openRealm(baseUrl, new Realm(MASTER, REPRESENTATION), await makeSigningKeys(), clock);
}

/** The realm as Keycloak creates it, as far as it affects a token of `admin-cli`. */
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
