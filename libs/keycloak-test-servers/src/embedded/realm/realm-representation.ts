import { randomUUID } from 'node:crypto';

export interface ClaimMapper {
  /** The kind of mapper: Keycloak's `protocolMapper`, such as `oidc-audience-mapper`. */
  readonly kind: string;
  readonly config: Readonly<Record<string, string>>;
}

export interface RealmScope {
  readonly name: string;
  /** Whether the `scope` of a token includes the name of this client scope. */
  readonly isShown: boolean;
  /** Whether the metadata of the realm list this client scope (`scopes_supported`). */
  readonly isInMetadata: boolean;
  readonly mappers: readonly ClaimMapper[];
}

export interface RealmRole {
  readonly id: string;
  readonly name: string;
}

export interface RealmClient {
  readonly id: string;
  readonly clientId: string;
  readonly secret: string | undefined;
  readonly isPublic: boolean;
  readonly signsAssertions: boolean;
  enabled: boolean;
  readonly fullScopeAllowed: boolean;
  readonly standardFlow: boolean;
  /** Wildcards are not supported. */
  readonly redirectUris: readonly string[];
  readonly postLogoutRedirectUris: readonly string[];
  readonly challengeMethod: string | undefined;
  readonly backchannelLogoutUrl: string | undefined;
  readonly logoutNeedsSid: boolean;
  readonly passwordGrant: boolean;
  readonly serviceAccount: boolean;
  readonly tokenExchange: boolean;
  readonly headerTyp: 'at+jwt' | 'JWT';
  /** Keycloak's lightweight access tokens contain neither mapped claims nor `sub`. */
  readonly isLightweight: boolean;
  readonly accessTokenSeconds: number | undefined;
  readonly notBefore: number;
  readonly defaultScopes: readonly string[];
  readonly optionalScopes: readonly string[];
  readonly mappers: readonly ClaimMapper[];
  readonly representation: Readonly<Record<string, unknown>>;
}

export interface RealmUser {
  readonly id: string;
  username: string;
  password: string | undefined;
  readonly serviceAccountOf: string | undefined;
  enabled: boolean;
  realmRoles: readonly string[];
  clientRoles: Readonly<Record<string, readonly string[]>>;
  /** All tokens issued before this second are invalid. */
  notBefore: number;
  attributes: Readonly<Record<string, string | boolean>>;
}

export function toClient(json: unknown, scopesByDefault: readonly string[]): RealmClient {
  const client = toRecord(json);
  const attributes = toRecord(client['attributes']);
  const redirectUris = toTexts(client['redirectUris']);
  const lifespan = attributes['access.token.lifespan'];
  return {
    id: toOptionalText(client['id']) ?? randomUUID(),
    clientId: toText(client['clientId'], 'A client has no "clientId"'),
    secret: toOptionalText(client['secret']),
    isPublic: isTrue(client['publicClient']),
    signsAssertions: client['clientAuthenticatorType'] === 'client-jwt',
    enabled: !isFalse(client['enabled']),
    fullScopeAllowed: !isFalse(client['fullScopeAllowed']),
    standardFlow: !isFalse(client['standardFlowEnabled']),
    redirectUris,
    postLogoutRedirectUris: toPostLogoutUris(attributes['post.logout.redirect.uris'], redirectUris),
    challengeMethod: toFilledText(attributes['pkce.code.challenge.method']),
    backchannelLogoutUrl: toFilledText(attributes['backchannel.logout.url']),
    logoutNeedsSid: attributes['backchannel.logout.session.required'] === 'true',
    passwordGrant: isTrue(client['directAccessGrantsEnabled']),
    serviceAccount: isTrue(client['serviceAccountsEnabled']),
    tokenExchange: attributes['standard.token.exchange.enabled'] === 'true',
    headerTyp: attributes['access.token.header.type.rfc9068'] === 'true' ? 'at+jwt' : 'JWT',
    isLightweight: attributes['client.use.lightweight.access.token.enabled'] === 'true',
    accessTokenSeconds: lifespan === undefined || lifespan === '' ? undefined : Number(lifespan),
    notBefore: toSeconds(client['notBefore']),
    defaultScopes:
      client['defaultClientScopes'] === undefined ? scopesByDefault : toTexts(client['defaultClientScopes']),
    optionalScopes: toTexts(client['optionalClientScopes']),
    mappers: toMappers(client['protocolMappers']),
    representation: client,
  };
}

export function toUser(json: unknown): RealmUser {
  const user = toRecord(json);
  const username = toText(user['username'], 'A user has no "username"').toLowerCase();
  const password = toList(user['credentials'])
    .map(toRecord)
    .find(({ type }) => type === 'password');
  const attributes: Record<string, string | boolean> = { username, emailVerified: isTrue(user['emailVerified']) };
  for (const [name, values] of Object.entries(toRecord(user['attributes'])))
    attributes[name] = toTexts(values)[0] ?? '';
  for (const name of ['email', 'firstName', 'lastName']) {
    const value = toOptionalText(user[name]);
    if (value !== undefined) attributes[name] = name === 'email' ? value.toLowerCase() : value;
  }
  return {
    id: toOptionalText(user['id']) ?? randomUUID(),
    username,
    password: toOptionalText(password?.['value']),
    serviceAccountOf: toOptionalText(user['serviceAccountClientId']),
    enabled: isTrue(user['enabled']),
    realmRoles: toTexts(user['realmRoles']),
    clientRoles: toTextsByName(user['clientRoles']),
    notBefore: 0,
    attributes,
  };
}

export function toScope(json: unknown): RealmScope {
  const scope = toRecord(json);
  const attributes = toRecord(scope['attributes']);
  return {
    name: toText(scope['name'], 'A client scope has no "name"'),
    isShown: attributes['include.in.token.scope'] !== 'false',
    isInMetadata:
      scope['protocol'] === 'openid-connect' && isTrue(attributes['include.in.openid.provider.metadata'] ?? true),
    mappers: toMappers(scope['protocolMappers']),
  };
}

const toMappers = (json: unknown): readonly ClaimMapper[] =>
  toList(json)
    .map(toRecord)
    .filter(({ protocol }) => protocol !== 'saml')
    .map(({ protocolMapper, config }) => ({
      kind: toText(protocolMapper, 'A mapper has no "protocolMapper"'),
      config: Object.fromEntries(Object.entries(toRecord(config)).map(([name, value]) => [name, String(value)])),
    }));

export function toRecord(json: unknown): Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json) ? (json as Record<string, unknown>) : {};
}

export const toList = (json: unknown): readonly unknown[] => (Array.isArray(json) ? (json as unknown[]) : []);

export const toTexts = (json: unknown): string[] => toList(json).filter((item) => typeof item === 'string');

const toTextsByName = (json: unknown): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(Object.entries(toRecord(json)).map(([name, texts]) => [name, toTexts(texts)]));

function toPostLogoutUris(attribute: unknown, redirectUris: readonly string[]): readonly string[] {
  const uris = toFilledText(attribute)?.split('##') ?? [];
  return uris.flatMap((uri) => (uri === '+' ? redirectUris : [uri]));
}

/** Placeholders have string values, and Keycloak accepts a string as a boolean. */
const isTrue = (json: unknown): boolean => json === true || json === 'true';
const isFalse = (json: unknown): boolean => json === false || json === 'false';

const toSeconds = (json: unknown): number => (typeof json === 'number' ? json : 0);

const toFilledText = (json: unknown): string | undefined => (json === '' ? undefined : toOptionalText(json));

const toOptionalText = (json: unknown): string | undefined => (typeof json === 'string' ? json : undefined);

function toText(json: unknown, otherwise: string): string {
  if (typeof json !== 'string') throw new Error(otherwise);
  return json;
}
