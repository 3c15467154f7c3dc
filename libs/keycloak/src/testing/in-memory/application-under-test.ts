import { Network } from '../../http/network.js';
import { isScopeToken } from '../../protocol/scope.js';
import { isCompactJws } from '../../protocol/token-form.js';
import type { VerifiedAccessToken } from '../../protocol/verified-access-token.js';
import { claimsOf, descriptionOf } from '../test-access-token.js';
import { refuseInProduction } from '../refuse-in-production.js';
import type { TestAuthorizationServer } from './test-authorization-server.js';
import { TestNetwork } from './test-network.js';
import type { TestServices } from './test-services.js';

export interface ApplicationUnderTest {
  get(token: typeof Network, options: { readonly strict: false }): unknown;
}

/**
 * Signs in the caller of `token`, and returns the bearer token to send.
 *
 * Every call returns a new token, unless `token` has a `text`. If you reuse a `text`, the application sees new claims
 * only after `introspectionTtlSeconds`. In an application with several issuers, a `text` must contain an `iss`.
 *
 * `signIn` also registers `token`, so that the application can exchange `token`.
 *
 * `signIn` does *not* bypass the guard. With the option `jwt`, `signIn` returns a signed token; a `text` of your own
 * passes only introspection.
 *
 * Throws `Error` if the application lacks `KeycloakTestingModule`. Also throws `Error` unless `NODE_ENV` is `test` or
 * `development`. Throws `TypeError` for a token that `testAccessToken()` did not make, a malformed `text` (RFC 7515
 * §7.1) or an invalid permission.
 */
export function signIn(app: ApplicationUnderTest, token: VerifiedAccessToken): string {
  const { authorizationServers } = networkOf(app);
  const description = descriptionOf(token);
  if (description === undefined) throw new TypeError('signIn() accepts only tokens made by testAccessToken()');
  const { text, options } = description;
  if (!isCompactJws(text)) throw new TypeError('The text does not look like a token, so the guard would refuse it');
  const bad = options.permissions?.find((permission) => !isScopeToken(permission));
  if (bad !== undefined) throw notAScopeToken(bad);
  const [own] = authorizationServers;
  const { client, tokens } = authorizationServers.find((each) => each.client.issuer === options.issuer) ?? own;
  const claims = claimsOf(options, { issuer: client.issuer, audience: client.clientId, profile: client.profile });
  const known = { claims, grant: undefined, grantableScopes: options.grantableScopes };
  tokens.set(text, known);
  return options.text ?? tokens.add(known);
}

/**
 * Makes the authorization server report the token as inactive. As in production, the application refuses the token
 * after the next introspection (`introspectionTtlSeconds`, `@MaxIntrospectionAge`). Routes that verify signatures still
 * accept the token.
 *
 * Throws `Error` for a text that `signIn` did not return for this application.
 */
export function signOut(app: ApplicationUnderTest, bearerToken: string): void {
  const ended = networkOf(app).authorizationServers.map(({ tokens }) => tokens.end(bearerToken));
  if (!ended.includes(true)) throw new Error('signIn() did not return this token for this application');
}

/** Returns the services that the application calls; a test sets their answers and reads the calls. */
export const testServices = (app: ApplicationUnderTest): TestServices => networkOf(app).services;

/**
 * Returns the authorization server of this application, or of `issuer`. Throws `Error` for an issuer that the
 * application does not have.
 */
export function testAuthorizationServer(app: ApplicationUnderTest, issuer?: string): TestAuthorizationServer {
  const { authorizationServers } = networkOf(app);
  const server =
    issuer === undefined
      ? authorizationServers[0]
      : authorizationServers.find(({ client }) => client.issuer === issuer);
  if (server === undefined) throw new Error(`This application has no issuer ${JSON.stringify(issuer)}`);
  return server;
}

function networkOf(app: ApplicationUnderTest): TestNetwork {
  refuseInProduction('nestjs-keycloak-s2s/testing');
  const network = networkIn(app);
  if (network instanceof TestNetwork) return network;
  throw new Error(
    [
      `This application has ${network === undefined ? 'no KeycloakModule' : 'the real KeycloakModule, which needs a server'}.`,
      'Build it with KeycloakTestingModule.override(Test.createTestingModule({ imports: [AppModule] })).compile(),',
      'or import KeycloakTestingModule.forRoot() instead of KeycloakModule.forRoot(…)',
    ].join(' '),
  );
}

function networkIn(app: ApplicationUnderTest): unknown {
  try {
    return app.get(Network, { strict: false });
  } catch {
    return undefined;
  }
}

const notAScopeToken = (permission: string): TypeError =>
  new TypeError(
    `"scope" can't contain the permission ${JSON.stringify(permission)}. If permissions are roles, set the claim of the realm: claims: { realm_access: { roles: [${JSON.stringify(permission)}] } }`,
  );
