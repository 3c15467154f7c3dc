/** @typedef {import('./names.mjs').Names} Names */

const MAPPER = {
  'access.token.claim': 'true',
  'id.token.claim': 'false',
  'introspection.token.claim': 'true',
  'lightweight.claim': 'false',
};

/**
 * The caller's service account gets the role, since the caller uses that account's token.
 *
 * @param {string} text the realm file
 * @param {Names} names
 */
export function addToRealm(text, names) {
  const realm = JSON.parse(text);
  const { name, permission, role, caller } = names;
  const taken = realm.clientScopes.some((/** @type {{ name: string }} */ scope) => scope.name === permission);
  if (taken) throw new Error(`The realm already has a permission ${permission}: choose another name than ${name}.`);
  const health = `${name}.health`;
  realm.clientScopes.push(
    clientScope(names, permission, `Read what ${names.Title} has`),
    clientScope(names, health, `Read the health details of ${names.Title}`),
  );
  realm.roles.realm.push({ name: role });
  realm.scopeMappings.push({ clientScope: permission, roles: [role] }, { clientScope: health, roles: ['operator'] });
  const ofCaller = realm.clients.find((/** @type {{ clientId: string }} */ { clientId }) => clientId === caller);
  ofCaller.serviceAccountsEnabled = true;
  ofCaller.optionalClientScopes.push(permission);
  const operator = realm.clients.find((/** @type {{ clientId: string }} */ { clientId }) => clientId === 'operator');
  operator.optionalClientScopes.push(health);
  const last = realm.clients.findLastIndex((/** @type {{ clientId: string }} */ { clientId }) =>
    clientId.startsWith('service-'),
  );
  realm.clients.splice(last + 1, 0, client(names));
  serviceAccount(realm.users, caller).realmRoles.push(role);
  return `${JSON.stringify(realm, null, 2)}\n`;
}

/**
 * @param {string} text the file keycloak-permissions.json
 * @param {Names} names
 */
export function addToPermissions(text, { name, permission, role, caller }) {
  const policy = JSON.parse(text);
  policy.permissions[permission] = { roles: [role] };
  policy.permissions[`${name}.health`] = { roles: ['operator'], clients: ['operator'] };
  policy.serviceAccounts[caller] = [...(policy.serviceAccounts[caller] ?? []), role];
  return JSON.stringify(policy);
}

/**
 * @param {Names} names
 * @param {string} permission
 * @param {string} description
 */
function clientScope({ name }, permission, description) {
  return {
    name: permission,
    description,
    protocol: 'openid-connect',
    attributes: { 'include.in.token.scope': 'true', 'display.on.consent.screen': 'false' },
    protocolMappers: [
      {
        name: `audience ${name}`,
        protocol: 'openid-connect',
        protocolMapper: 'oidc-audience-mapper',
        config: { 'included.client.audience': name, ...MAPPER },
      },
    ],
  };
}

/** @param {Names} names */
function client({ name, prefix }) {
  return {
    clientId: name,
    name,
    enabled: true,
    publicClient: false,
    clientAuthenticatorType: 'client-secret',
    secret: `\${${prefix}_CLIENT_SECRET}`,
    serviceAccountsEnabled: false,
    standardFlowEnabled: false,
    implicitFlowEnabled: false,
    directAccessGrantsEnabled: false,
    fullScopeAllowed: false,
    defaultClientScopes: ['acr', 'basic', 'roles', 'profile', 'email'],
    optionalClientScopes: [],
    attributes: { 'access.token.header.type.rfc9068': 'true' },
  };
}

/**
 * @param {{ username: string, enabled: boolean, serviceAccountClientId: string, realmRoles: string[] }[]} users
 * @param {string} clientId
 */
function serviceAccount(users, clientId) {
  const username = `service-account-${clientId}`;
  const found = users.find((user) => user.username === username);
  if (found !== undefined) return found;
  const made = { username, enabled: true, serviceAccountClientId: clientId, realmRoles: [] };
  users.push(made);
  return made;
}
