/** Application under test: what a test does with an application that has KeycloakTestingModule. */
import { Network } from '../../http/network.js';
import { isScopeToken } from '../../protocol/scope.js';
import { isCompactJws } from '../../protocol/token-form.js';
import type { VerifiedAccessToken } from '../../protocol/verified-access-token.js';
import { claimsOf, descriptionOf } from '../test-access-token.js';
import { refuseInProduction } from '../refuse-in-production.js';
import type { TestAuthorizationServer } from './test-authorization-server.js';
import { TestNetwork } from './test-network.js';
import type { TestServices } from './test-services.js';

/** A Nest application, or a `TestingModule`: the part that is used. */
export interface ApplicationUnderTest {
  get(token: typeof Network, options: { readonly strict: false }): unknown;
}

/**
 * Signs in whom `token` describes, and gives the text to send as bearer token. Where `testAccessToken()` was not told
 * otherwise, it is for this application (`aud` is its client id, `iss` its issuer). Every call gives a token of its own, unless
 * `token` was given a `text`: then that is it, and said again with other claims it is not news to the application before
 * `introspectionTtlSeconds` have passed. `token` itself is known too from then on, so that what is tested below the
 * routes can be given it, to exchange.
 *
 * It does *not* let anything pass: the application's guard asks for the token, judges it and holds it against the route.
 *
 * Throws `Error` when the application has no `KeycloakTestingModule`, and unless `NODE_ENV` is `test` or `development`; `TypeError` for a
 * token that `testAccessToken()` did not make, a `text` that has not the form of a token (RFC 7515 §7.1), or a permission that
 * `scope` can't hold.
 */
export function signIn(app: ApplicationUnderTest, token: VerifiedAccessToken): string {
  const { client, tokens } = networkOf(app);
  const description = descriptionOf(token);
  if (description === undefined) throw new TypeError('signIn() takes what testAccessToken() made, and no other token');
  const { text, options } = description;
  if (!isCompactJws(text)) throw new TypeError('The text given has not the form of a token: the guard would refuse it');
  const bad = options.permissions?.find((permission) => !isScopeToken(permission));
  if (bad !== undefined) throw notAScopeToken(bad);
  const claims = claimsOf(options, { issuer: client.issuer, audience: client.clientId });
  const known = { claims, grant: undefined, grantableScopes: options.grantableScopes };
  tokens.set(text, known);
  return options.text ?? tokens.add(known);
}

/**
 * Ends a token at the authorization server: from then on it is inactive there, and not exchanged. As in life, the application
 * learns of it when it asks again (`introspectionTtlSeconds`, `@MaxStaleness`); what it is told through its `RevocationList`
 * it refuses at once.
 *
 * Throws `Error` for a text that `signIn` did not give for this application.
 */
export function signOut(app: ApplicationUnderTest, bearerToken: string): void {
  if (!networkOf(app).tokens.end(bearerToken)) throw new Error('No such token is signed in at this application');
}

/** How the services that this application calls answer, and what calls it made. */
export const testServices = (app: ApplicationUnderTest): TestServices => networkOf(app).services;

/** This application's authorization server, to make it unreachable. */
export const testAuthorizationServer = (app: ApplicationUnderTest): TestAuthorizationServer =>
  networkOf(app).authorizationServer;

function networkOf(app: ApplicationUnderTest): TestNetwork {
  refuseInProduction('nestjs-keycloak-s2s/testing');
  const network = networkIn(app);
  if (network instanceof TestNetwork) return network;
  throw new Error(
    [
      `This application has ${network === undefined ? 'no KeycloakModule' : 'the real KeycloakModule, which asks a server'}.`,
      'Build it with KeycloakTestingModule.override(Test.createTestingModule({ imports: [AppModule] })).compile(),',
      'or import KeycloakTestingModule.forRoot() in place of KeycloakModule.forRoot(…)',
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
    `${JSON.stringify(permission)} can't be a member of "scope". Where permissions are roles, say so as the realm does: claims: { realm_access: { roles: [${JSON.stringify(permission)}] } }`,
  );
