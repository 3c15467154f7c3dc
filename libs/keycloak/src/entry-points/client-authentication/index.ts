/**
 * Client secrets and private keys that can change while the service runs.
 *
 * @packageDocumentation
 * @category Supported
 */
export { AuthorizationServerFetch } from '../../authorization-server/authorization-server-fetch.js';
export { ClientAuthenticator } from '../../authorization-server/client-authenticator.js';
export { clientAssertionFile } from '../../client-authentication/client-assertion-file.js';
export { clientSecretFile, clientSecretFrom } from '../../client-authentication/client-secret.js';
export { privateKeyJwt } from '../../client-authentication/private-key-jwt.js';

export type { AuthorizationServerRequest } from '../../authorization-server/authorization-server-fetch.js';
export type {
  ClientAuthentication,
  ClientAuthenticationContext,
  ClientCredential,
  ConnectedClientAuthentication,
} from '../../client-authentication/client-authentication.js';
export type { ClientSecretFromOptions } from '../../client-authentication/client-secret.js';
export type { PrivateKeyJwt, PrivateKeyJwtOptions } from '../../client-authentication/private-key-jwt.js';
export type { PublicJwks } from '../../client-authentication/signing-keys.js';
