/** The two doors of the package: what they export, so that a change of it is a decision. */
import { describe, expect, it } from '@jest/globals';
import * as door from 'nestjs-keycloak-s2s';
import * as testing from 'nestjs-keycloak-s2s/testing';

describe('nestjs-keycloak-s2s', () => {
  it('exports this, and no more', () => {
    expect(Object.keys(door).toSorted()).toEqual([
      'AUTHORIZATION_SERVER_ERROR_REASONS',
      'AccessToken',
      'AccessTokenVerifier',
      'AllowClients',
      'Authenticated',
      'AuthorizationServerError',
      'AuthorizationServerHealth',
      'BEARER_ERROR_REASONS',
      'BearerError',
      'ClientCredentialsTokenProvider',
      'INTROSPECTION_CHANNEL',
      'InjectServiceClient',
      'IntrospectionGuard',
      'IssuedToken',
      'KeycloakModule',
      'KeycloakOptionsError',
      'MaxStaleness',
      'OptionalToken',
      'Public',
      'REFUSAL_CHANNEL',
      'Refusal',
      'RefusalFilter',
      'RequirePermission',
      'RevocationList',
      'SERVICE_CALL_ERROR_REASONS',
      'ServiceCallError',
      'ServiceCaller',
      'ServiceClient',
      'TOKEN_CHANNEL',
      'TokenExchangeClient',
      'VerifiedAccessToken',
      'clientRoles',
      'getServiceClientToken',
      'realmRoles',
    ]);
  });

  it('has a second door for specs', () => {
    expect(Object.keys(testing).toSorted()).toEqual([
      'KeycloakTestingModule',
      'KeycloakUnavailableError',
      'TokenLeakError',
      'TokenLeakScanner',
      'signIn',
      'signOut',
      'startAuthorizationServer',
      'startFaultProxy',
      'startKeycloak',
      'startTestServer',
      'testAccessToken',
      'testAuthorizationServer',
      'testServer',
      'testServices',
    ]);
  });

  it("gives nobody the text of a caller's token (TX-04)", () => {
    const token = testing.testAccessToken({ subject: 'alice' });
    const inherited = Object.getOwnPropertyNames(door.VerifiedAccessToken.prototype);
    const reachable = [...Reflect.ownKeys(token), ...inherited].map((key) => Reflect.get(token, key) as unknown);
    expect(JSON.stringify(reachable)).not.toContain('test-token-of');
    expect(inherited.toSorted()).toEqual([
      'audience',
      'claims',
      'clientId',
      'clientRoles',
      'constructor',
      'email',
      'expiresAt',
      'fingerprint',
      'hasPermission',
      'hash',
      'issuer',
      'permissions',
      'realmRoles',
      'sessionId',
      'subject',
      'toJSON',
      'toString',
      'username',
    ]);
  });
});
