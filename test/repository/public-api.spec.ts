/** The doors of the two packages: what they export, so that a change of it is a decision. */
import { describe, expect, it } from '@jest/globals';
import * as servers from 'keycloak-test-servers';
import * as door from 'nestjs-keycloak-s2s';
import * as axiosDoor from 'nestjs-keycloak-s2s/axios';
import * as graphqlDoor from 'nestjs-keycloak-s2s/graphql';
import * as jwtDoor from 'nestjs-keycloak-s2s/jwt';
import * as microservicesDoor from 'nestjs-keycloak-s2s/microservices';
import * as opentelemetryDoor from 'nestjs-keycloak-s2s/opentelemetry';
import * as signalsDoor from 'nestjs-keycloak-s2s/signals';
import * as swaggerDoor from 'nestjs-keycloak-s2s/swagger';
import * as websocketsDoor from 'nestjs-keycloak-s2s/websockets';
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
      'AuthorizationServerFetch',
      'AuthorizationServerHealth',
      'BEARER_ERROR_REASONS',
      'BearerError',
      'ClientAuthenticator',
      'ClientCredentialsTokenProvider',
      'ConfigurationError',
      'ConfigurationFaults',
      'INTROSPECTION_CHANNEL',
      'InjectServiceClient',
      'IntrospectionGuard',
      'IssuedToken',
      'JWT_VERIFICATION_CHANNEL',
      'KeycloakModule',
      'KeycloakOptionsError',
      'KeycloakStatus',
      'MaxStaleness',
      'OptionalToken',
      'Public',
      'REFUSAL_CHANNEL',
      'REFUSAL_REASON_CHANNEL',
      'Refusal',
      'RefusalFilter',
      'RepeatedLines',
      'RequireAnyPermission',
      'RequireAuthentication',
      'RequirePermission',
      'RevocationList',
      'SERVICE_CALL_CHANNEL',
      'SERVICE_CALL_ERROR_REASONS',
      'SIGNAL_CHANNEL',
      'ServiceCallError',
      'ServiceCaller',
      'ServiceClient',
      'StartVerificationError',
      'TOKEN_CHANNEL',
      'TokenExchangeClient',
      'Verification',
      'VerifiedAccessToken',
      'authenticationFault',
      'clientAssertionFile',
      'clientRoles',
      'clientSecretFile',
      'clientSecretFrom',
      'denialOf',
      'describeRequest',
      'getServiceClientToken',
      'isProduction',
      'privateKeyJwt',
      'realmRoles',
      'verifiedTokenOf',
    ]);
  });

  it('has a second door for specs', () => {
    expect(Object.keys(testing).toSorted()).toEqual([
      'KeycloakTestingModule',
      'TokenLeakError',
      'TokenLeakScanner',
      'signIn',
      'signOut',
      'testAccessToken',
      'testAuthorizationServer',
      'testServices',
    ]);
  });

  it('has a door for people who have HttpService', () => {
    expect(Object.keys(axiosDoor).toSorted()).toEqual([
      'InjectServiceHttp',
      'ServiceHttp',
      'ServiceHttpModule',
      'getServiceHttpToken',
    ]);
  });

  it.each([
    ['GraphQL', graphqlDoor, ['graphqlCarrier']],
    ['signatures of tokens', jwtDoor, ['jwtVerification']],
    ['messages', microservicesDoor, ['microservicesCarrier']],
    ['OpenTelemetry', opentelemetryDoor, ['KeycloakTelemetryModule']],
    [
      'what Keycloak tells by itself',
      signalsDoor,
      [
        'BackchannelLogoutModule',
        'SIGNAL_SOURCE_REASONS',
        'SignalSourceError',
        'SignalsModule',
        'keycloakEvents',
        'sharedSignals',
      ],
    ],
    ['OpenAPI documents', swaggerDoor, ['addKeycloakSecurity']],
    ['WebSockets', websocketsDoor, ['guardHandshakes', 'websocketsCarrier']],
  ])('has a door for %s', (_, itsDoor, names) => {
    expect(Object.keys(itsDoor).toSorted()).toEqual(names);
  });

  it('lets nobody make the proof that a token is good, in TypeScript or in JavaScript', () => {
    const { claims } = testing.testAccessToken();
    const facts = { claims, clientId: 'c', audience: [], permissions: ['orders.approve'] };
    // @ts-expect-error -- its constructor is private
    expect(() => new door.VerifiedAccessToken('text', facts)).toThrow(TypeError);
    // @ts-expect-error -- and so it has no derived classes
    class Derived extends door.VerifiedAccessToken {}
    const introspection = { known: () => undefined, introspect: async () => ({ ...claims, active: true }) };
    // @ts-expect-error -- as is that of what makes tokens
    expect(() => new door.AccessTokenVerifier(introspection, {}, {}, {})).toThrow(TypeError);
    for (const made of [door.VerifiedAccessToken, Derived, door.AccessTokenVerifier]) {
      for (const maker of [undefined, 'maker', Symbol('maker')]) {
        const given: unknown[] = [maker, 'text', facts, maker, maker];
        expect(() => Reflect.construct(made, given) as unknown).toThrow(TypeError);
        expect(() => Reflect.construct(made, given.slice(1)) as unknown).toThrow(TypeError);
      }
    }
  });

  it("gives nobody the text of a caller's token (TX-04)", () => {
    const text = 'the-text-of-the-token';
    const token = testing.testAccessToken({ subject: 'alice', text });
    const inherited = Object.getOwnPropertyNames(door.VerifiedAccessToken.prototype);
    const reachable = [...Reflect.ownKeys(token), ...inherited].map((key) => Reflect.get(token, key) as unknown);
    expect(JSON.stringify([reachable, door.denialOf(token)])).not.toContain(text);
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

describe('keycloak-test-servers', () => {
  it('exports this, and no more', () => {
    expect(Object.keys(servers).toSorted()).toEqual([
      'KeycloakUnavailableError',
      'freePort',
      'startAuthorizationServer',
      'startFaultProxy',
      'startKeycloak',
      'startSharedServer',
      'startTestServer',
      'stopSharedServer',
      'testServer',
    ]);
  });
});
