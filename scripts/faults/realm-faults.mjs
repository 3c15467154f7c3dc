// Each fault is a single change that an administrator might make.

/**
 * @typedef {object} Administrator of the realm; paths are relative to the realm
 * @property {(path: string) => Promise<any>} read
 * @property {(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: object) => Promise<unknown>} change
 *
 * @typedef {object} RealmFault
 * @property {string} what the change, for --reveal
 * @property {(administrator: Administrator) => Promise<unknown>} make
 */

/** @type {readonly RealmFault[]} */
export const REALM_FAULTS = [
  {
    what: 'The secret of service-b was changed in Keycloak.',
    make: (administrator) => changeClient(administrator, 'service-b', { secret: 'changed-by-npm-run-faults' }),
  },
  {
    what: 'Standard token exchange was switched off at service-b.',
    make: (administrator) => switchOffExchange(administrator, 'service-b'),
  },
  {
    what: 'Standard token exchange was switched off at service-a.',
    make: (administrator) => switchOffExchange(administrator, 'service-a'),
  },
  {
    what: 'The audience mapper of the client scope analytics.run was deleted.',
    make: (administrator) => onMapper(administrator, 'analytics.run', (path) => administrator.change('DELETE', path)),
  },
  {
    what: 'The audience mapper of the client scope orders.approve names service-c.',
    make: (administrator) =>
      onMapper(administrator, 'orders.approve', (path, mapper) =>
        administrator.change('PUT', path, {
          ...mapper,
          config: { ...mapper.config, 'included.client.audience': 'service-c' },
        }),
      ),
  },
  {
    what: 'The client scope orders.approve was removed from service-a.',
    make: async (administrator) => {
      const [{ id: client }, { id: scope }] = [
        await clientNamed(administrator, 'service-a'),
        await scopeNamed(administrator, 'orders.approve'),
      ];
      await administrator.change('DELETE', `/clients/${client}/optional-client-scopes/${scope}`);
    },
  },
  {
    what: 'The client service-c was disabled.',
    make: (administrator) => changeClient(administrator, 'service-c', { enabled: false }),
  },
  {
    what: 'The service account of service-a was switched off.',
    make: (administrator) => changeClient(administrator, 'service-a', { serviceAccountsEnabled: false }),
  },
  {
    what: 'The role order-manager was removed from the service account of service-a.',
    make: async (administrator) => {
      const { id } = await clientNamed(administrator, 'service-a');
      const user = await administrator.read(`/clients/${id}/service-account-user`);
      const role = await administrator.read('/roles/order-manager');
      await administrator.change('DELETE', `/users/${user.id}/role-mappings/realm`, [role]);
    },
  },
  {
    what: 'The client scope orders.approve is not included in the scope of tokens.',
    make: async (administrator) => {
      const scope = await scopeNamed(administrator, 'orders.approve');
      const attributes = { ...scope.attributes, 'include.in.token.scope': 'false' };
      await administrator.change('PUT', `/client-scopes/${scope.id}`, { ...scope, attributes });
    },
  },
  {
    what: 'The realm was given another frontend URL, so its issuer has changed.',
    make: async (administrator) => {
      const { attributes } = await administrator.read('');
      await changeRealm(administrator, { attributes: { ...attributes, frontendUrl: 'http://keycloak.example:8080' } });
    },
  },
  {
    what: 'The realm requires https from every address (Require SSL: All requests), but the services use http for Keycloak.',
    make: (administrator) => changeRealm(administrator, { sslRequired: 'all' }),
  },
  {
    what: 'The realm was disabled.',
    make: (administrator) => changeRealm(administrator, { enabled: false }),
  },
  {
    what: 'The client scope inventory.adjust was made a default scope of service-a, so each of its exchanges fails.',
    make: async (administrator) => {
      const [{ id: client }, { id: scope }] = [
        await clientNamed(administrator, 'service-a'),
        await scopeNamed(administrator, 'inventory.adjust'),
      ];
      await administrator.change('PUT', `/clients/${client}/default-client-scopes/${scope}`);
    },
  },
  {
    what: 'The client id of service-b was changed.',
    make: (administrator) => changeClient(administrator, 'service-b', { clientId: 'service-b-old' }),
  },
];

/**
 * @param {Administrator} administrator
 * @param {object} change
 */
async function changeRealm(administrator, change) {
  await administrator.change('PUT', '', { ...(await administrator.read('')), ...change });
}

/**
 * @param {Administrator} administrator
 * @param {string} clientId
 * @returns {Promise<{ id: string, attributes?: Record<string, string> }>}
 */
async function clientNamed(administrator, clientId) {
  const [client] = await administrator.read(`/clients?clientId=${clientId}`);
  if (client === undefined) throw new Error(`The realm has no client ${clientId}`);
  return client;
}

/**
 * @param {Administrator} administrator
 * @param {string} name
 */
async function scopeNamed(administrator, name) {
  /** @type {{ id: string, name: string, attributes?: Record<string, string> }[]} */
  const scopes = await administrator.read('/client-scopes');
  const scope = scopes.find((each) => each.name === name);
  if (scope === undefined) throw new Error(`The realm has no client scope ${name}`);
  return scope;
}

/**
 * @param {Administrator} administrator
 * @param {string} clientId
 * @param {object} change
 */
async function changeClient(administrator, clientId, change) {
  const client = await clientNamed(administrator, clientId);
  await administrator.change('PUT', `/clients/${client.id}`, { ...client, ...change });
}

/**
 * @param {Administrator} administrator
 * @param {string} clientId
 */
async function switchOffExchange(administrator, clientId) {
  const { attributes } = await clientNamed(administrator, clientId);
  const changed = { ...attributes, 'standard.token.exchange.enabled': 'false' };
  await changeClient(administrator, clientId, { attributes: changed });
}

/**
 * @param {Administrator} administrator
 * @param {string} scopeName
 * @param {(path: string, mapper: any) => Promise<unknown>} use
 */
async function onMapper(administrator, scopeName, use) {
  const { id } = await scopeNamed(administrator, scopeName);
  const path = `/client-scopes/${id}/protocol-mappers/models`;
  const [mapper] = await administrator.read(path);
  if (mapper === undefined) throw new Error(`The client scope ${scopeName} has no mapper`);
  await use(`${path}/${mapper.id}`, mapper);
}
