import { ignoredAuthenticators } from './ignored-authenticators.js';
import type { IgnoredPart } from './ignored-part.js';
import { toList, toRecord, toTexts } from './realm-representation.js';

type Members = Readonly<Record<string, unknown>>;
type Table = Readonly<Record<string, (value: unknown, members: Members) => boolean>>;

const isOn = (value: unknown): boolean => value === true || value === 'true';
const isOff = (value: unknown): boolean => value === false || value === 'false';
const isPositive = (value: unknown): boolean => Number(value ?? 0) > 0;
const isOther =
  (...known: readonly string[]) =>
  (value: unknown): boolean =>
    isFilled(value) && !known.includes(String(value));
const some =
  (test: (item: Members) => boolean) =>
  (value: unknown): boolean =>
    toList(value).map(toRecord).some(test);

function isFilled(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return ![undefined, null, '', '{}'].includes(value as string);
  return Object.values(value).some(isFilled);
}

/**
 * Each table lists settings that change the answers of Keycloak, but not the answers of this server. Each function
 * returns whether a value differs from Keycloak's default.
 */
const OF_REALM: Table = {
  groups: isFilled,
  defaultGroups: isFilled,
  identityProviders: isFilled,
  organizations: isFilled,
  verifyEmail: isOn,
  loginWithEmailAllowed: isOff,
  passwordPolicy: (value) => /(^| and )(?!hash)\w/.test(String(value ?? '')),
  requiredActions: some(({ enabled, defaultAction }) => isOn(enabled) && isOn(defaultAction)),
  clientPolicies: (value) => isFilled(toRecord(value)['policies']),
  directGrantFlow: isOther('direct grant'),
  refreshTokenMaxReuse: isPositive,
  clientSessionIdleTimeout: isPositive,
  clientSessionMaxLifespan: isPositive,
  defaultSignatureAlgorithm: isOther('RS256'),
  bruteForceStrategy: isOther('MULTIPLE'),
  maxTemporaryLockouts: isPositive,
};

const OF_REALM_ATTRIBUTES: Table = { frontendUrl: isFilled };

const OF_COMPONENTS: Table = { 'org.keycloak.storage.UserStorageProvider': isFilled };

const OF_CLIENT: Table = {
  consentRequired: isOn,
  authorizationServicesEnabled: isOn,
  authenticationFlowBindingOverrides: isFilled,
  clientAuthenticatorType: (value, { publicClient }) =>
    !isOn(publicClient) && isOther('client-secret', 'client-jwt')(value),
  webOrigins: isFilled,
  'wildcards in redirectUris': (_, { redirectUris }) => toTexts(redirectUris).some((uri) => uri.endsWith('*')),
};

const OF_CLIENT_ATTRIBUTES: Table = {
  'access.token.signed.response.alg': isOther('RS256'),
  'acr.loa.map': isFilled,
  'client.session.idle.timeout': isFilled,
  'client.session.max.lifespan': isFilled,
  'client_credentials.use_refresh_token': isOn,
  'default.acr.values': isFilled,
  'dpop.bound.access.tokens': isOn,
  'exclude.issuer.from.auth.response': isOn,
  'exclude.session.state.from.auth.response': isOn,
  'frontchannel.logout.url': isFilled,
  'id.token.encrypted.response.alg': isFilled,
  'id.token.signed.response.alg': isOther('RS256'),
  'minimum.acr.value': isFilled,
  'require.pushed.authorization.requests': isOn,
  'tls.client.certificate.bound.access.tokens': isOn,
  'use.refresh.tokens': isOff,
  'user.info.response.signature.alg': isFilled,
};

const OF_USER: Table = {
  groups: isFilled,
  requiredActions: isFilled,
  'hashed passwords': (_, { credentials }) =>
    some(({ type, value }) => type === 'password' && value === undefined)(credentials),
  'temporary passwords': (_, { credentials }) => some(({ temporary }) => isOn(temporary))(credentials),
  'second factors': (_, { credentials }) => some(({ type }) => type !== 'password')(credentials),
};

const OF_ROLE: Table = { composites: isFilled };

export const BUILT_IN_CLIENTS = [
  'account',
  'account-console',
  'admin-cli',
  'broker',
  'realm-management',
  'security-admin-console',
];

export function ignoredSettings(json: unknown): IgnoredPart[] {
  const realm = toRecord(json);
  const roles = toRecord(realm['roles']);
  const named = (items: unknown, member: string, what: string) =>
    toList(items)
      .map(toRecord)
      .map((item) => ({ item, owner: `${what} ${String(item[member])}` }));
  const clients = named(realm['clients'], 'clientId', 'client').filter(
    ({ item }) => item['protocol'] !== 'saml' && !BUILT_IN_CLIENTS.includes(String(item['clientId'])),
  );
  const clientRoles = Object.entries(toRecord(roles['client'])).filter(([id]) => !BUILT_IN_CLIENTS.includes(id));
  return [
    ...found(OF_REALM, realm, undefined),
    ...found(OF_REALM_ATTRIBUTES, toRecord(realm['attributes']), undefined),
    ...found(OF_COMPONENTS, toRecord(realm['components']), undefined),
    ...ignoredAuthenticators(realm),
    ...clients.flatMap(({ item, owner }) => [
      ...found(OF_CLIENT, item, owner),
      ...found(OF_CLIENT_ATTRIBUTES, toRecord(item['attributes']), owner),
    ]),
    ...named(realm['users'], 'username', 'user').flatMap(({ item, owner }) => found(OF_USER, item, owner)),
    ...[roles['realm'], ...clientRoles.map(([, ofClient]) => ofClient)].flatMap((list) =>
      named(list, 'name', 'role').flatMap(({ item, owner }) => found(OF_ROLE, item, owner)),
    ),
  ];
}

const found = (table: Table, members: Members, owner: string | undefined): IgnoredPart[] =>
  Object.entries(table)
    .filter(([name, isIgnored]) => isIgnored(members[name], members))
    .map(([name]) => ({ name, owner }));
