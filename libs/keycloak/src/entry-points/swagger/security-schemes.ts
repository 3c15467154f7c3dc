/** Security schemes: where the tokens come from that the routes demand. */

import { KEYCLOAK_SCHEME } from './security-requirements.js';

/** By name of the scope, the operations that demand it. */
export type NamedScopes = ReadonlyMap<string, readonly string[]>;

/** OAuth 2.0 at a realm of Keycloak, whose endpoints stand below its issuer. The same for every client that calls this service as itself. */
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

/** The same at another server, whose endpoints stand in its metadata. */
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

/** One name says nothing at another issuer. */
const audiencesOf = (issuers: readonly { readonly issuer: string; readonly clientId: string }[]): string =>
  issuers.length === 1
    ? String(issuers[0]?.clientId)
    : issuers.map(({ issuer, clientId }) => `${clientId} at ${issuer}`).join(', or ');
