import { KEYCLOAK_SCHEME } from './security-requirements.js';

export type NamedScopes = ReadonlyMap<string, readonly string[]>;

export const keycloakScheme = (issuer: string, scopes: NamedScopes): object => ({
  type: 'oauth2',
  description: `An access token of the realm ${issuer} (${issuer}/.well-known/openid-configuration), sent as Authorization: Bearer`,
  flows: {
    clientCredentials: {
      tokenUrl: `${issuer}/protocol/openid-connect/token`,
      scopes: Object.fromEntries([...scopes].map(([name, places]) => [name, `Demanded by ${places.join(', ')}`])),
    },
  },
});

/** The endpoints of a server other than Keycloak are known only from the server's metadata. */
export const serverScheme = (issuer: string): object => ({
  type: 'openIdConnect',
  description: `An access token of ${issuer}, sent as Authorization: Bearer`,
  openIdConnectUrl: `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
});

export const bearerScheme = (issuers: readonly { readonly issuer: string; readonly clientId: string }[]): object => ({
  type: 'http',
  scheme: 'bearer',
  description: `An access token whose audience is ${audiencesOf(issuers)}, with the scopes that the operation names for ${KEYCLOAK_SCHEME}`,
});

/** Different issuers may have equal client ids. */
const audiencesOf = (issuers: readonly { readonly issuer: string; readonly clientId: string }[]): string =>
  issuers.length === 1
    ? String(issuers[0]?.clientId)
    : issuers.map(({ issuer, clientId }) => `${clientId} at ${issuer}`).join(', or ');
