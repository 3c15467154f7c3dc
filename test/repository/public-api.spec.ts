/** Lists the exports of the packages, so that each change of the exports is deliberate. */
import { describe, expect, it } from '@jest/globals';
import * as servers from 'keycloak-test-servers';
import * as mcp from 'nestjs-keycloak-s2s-mcp';
import * as mainEntryPoint from 'nestjs-keycloak-s2s';
import * as axiosEntryPoint from 'nestjs-keycloak-s2s/axios';
import * as clientAuthentication from 'nestjs-keycloak-s2s/client-authentication';
import * as diagnostics from 'nestjs-keycloak-s2s/diagnostics';
import * as extension from 'nestjs-keycloak-s2s/extension';
import * as graphqlEntryPoint from 'nestjs-keycloak-s2s/graphql';
import * as jwtEntryPoint from 'nestjs-keycloak-s2s/jwt';
import * as microservicesEntryPoint from 'nestjs-keycloak-s2s/microservices';
import * as opentelemetryEntryPoint from 'nestjs-keycloak-s2s/opentelemetry';
import * as signalsEntryPoint from 'nestjs-keycloak-s2s/signals';
import * as swaggerEntryPoint from 'nestjs-keycloak-s2s/swagger';
import * as websocketsEntryPoint from 'nestjs-keycloak-s2s/websockets';
import * as testing from 'nestjs-keycloak-s2s/testing';

describe('nestjs-keycloak-s2s', () => {
  it('exports exactly the listed names', () => {
    expect(Object.keys(mainEntryPoint).toSorted()).toEqual([
      'AccessTokenVerifier',
      'AllowClients',
      'Authenticated',
      'AuthorizationServerError',
      'AuthorizationServerHealth',
      'BearerError',
      'Caller',
      'ClientCredentialsTokenProvider',
      'ConfigurationError',
      'ConfigurationFaults',
      'InjectServiceClient',
      'IssuedToken',
      'KeycloakException',
      'KeycloakExceptionFilter',
      'KeycloakGuard',
      'KeycloakModule',
      'KeycloakOptionsError',
      'KeycloakStatus',
      'MaxIntrospectionAge',
      'OptionalToken',
      'Public',
      'RequireAnyPermission',
      'RequirePermission',
      'RequireStepUp',
      'RevocationList',
      'ServiceCallError',
      'ServiceCaller',
      'ServiceClient',
      'StartVerificationError',
      'TokenExchangeClient',
      'TokenVerification',
      'VerifiedAccessToken',
      'authenticationFault',
      'clientRoles',
      'getServiceClientToken',
      'isProduction',
      'realmRoles',
      'verifiedTokenOf',
    ]);
  });

  it('exports exactly the listed names from /diagnostics', () => {
    expect(Object.keys(diagnostics).toSorted()).toEqual([
      'AUTHORIZATION_SERVER_ERROR_REASONS',
      'BEARER_ERROR_REASONS',
      'INTROSPECTION_CHANNEL',
      'JWT_VERIFICATION_CHANNEL',
      'REFUSAL_CHANNEL',
      'REFUSAL_REASON_CHANNEL',
      'RepeatedLines',
      'SERVICE_CALL_CHANNEL',
      'SERVICE_CALL_ERROR_REASONS',
      'SIGNAL_CHANNEL',
      'TOKEN_CHANNEL',
      'describeRequest',
    ]);
  });

  it('exports exactly the listed names from /client-authentication', () => {
    expect(Object.keys(clientAuthentication).toSorted()).toEqual([
      'AuthorizationServerFetch',
      'ClientAuthenticator',
      'clientAssertionFile',
      'clientSecretFile',
      'clientSecretFrom',
      'privateKeyJwt',
    ]);
  });

  it('exports exactly the listed names from /extension', () => {
    expect(Object.keys(extension).toSorted()).toEqual([
      'ChallengeScopes',
      'HandlerAccess',
      'LongLivedResponse',
      'denialOf',
    ]);
  });

  it('has an entry point for specs', () => {
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

  it('has an entry point for users of HttpService', () => {
    expect(Object.keys(axiosEntryPoint).toSorted()).toEqual([
      'InjectServiceHttp',
      'ServiceHttp',
      'ServiceHttpModule',
      'getServiceHttpToken',
    ]);
  });

  it.each([
    ['GraphQL', graphqlEntryPoint, ['graphqlRequestAdapter']],
    ['signatures of tokens', jwtEntryPoint, ['jwtVerification']],
    ['messages', microservicesEntryPoint, ['microservicesRequestAdapter']],
    ['OpenTelemetry', opentelemetryEntryPoint, ['KeycloakTelemetryModule']],
    [
      'events from Keycloak',
      signalsEntryPoint,
      [
        'BackchannelLogoutModule',
        'RevocationEventsModule',
        'SIGNAL_SOURCE_REASONS',
        'SignalSourceError',
        'keycloakEvents',
        'sharedSignals',
      ],
    ],
    ['OpenAPI documents', swaggerEntryPoint, ['addKeycloakSecurity']],
    ['WebSockets', websocketsEntryPoint, ['guardHandshakes', 'websocketsRequestAdapter']],
  ])('has an entry point for %s', (_, exported, names) => {
    expect(Object.keys(exported).toSorted()).toEqual(names);
  });

  it('does not let an application create a verified token, in TypeScript or in JavaScript', () => {
    const { claims } = testing.testAccessToken();
    const facts = { claims, clientId: 'c', audience: [], permissions: ['orders.approve'] };
    // @ts-expect-error -- its constructor is private
    expect(() => new mainEntryPoint.VerifiedAccessToken('text', facts)).toThrow(TypeError);
    // @ts-expect-error -- a class with a private constructor cannot be extended
    class Derived extends mainEntryPoint.VerifiedAccessToken {}
    const introspection = { known: () => undefined, introspect: async () => ({ ...claims, active: true }) };
    // @ts-expect-error -- its constructor is private, too
    expect(() => new mainEntryPoint.AccessTokenVerifier(introspection, {}, {}, {})).toThrow(TypeError);
    for (const made of [mainEntryPoint.VerifiedAccessToken, Derived, mainEntryPoint.AccessTokenVerifier]) {
      for (const maker of [undefined, 'maker', Symbol('maker')]) {
        const given: unknown[] = [maker, 'text', facts, maker, maker];
        expect(() => Reflect.construct(made, given) as unknown).toThrow(TypeError);
        expect(() => Reflect.construct(made, given.slice(1)) as unknown).toThrow(TypeError);
      }
    }
  });

  it("does not expose the text of a caller's token (TX-04)", () => {
    const text = 'the-text-of-the-token';
    const token = testing.testAccessToken({ subject: 'alice', text });
    const inherited = Object.getOwnPropertyNames(mainEntryPoint.VerifiedAccessToken.prototype);
    const reachable = [...Reflect.ownKeys(token), ...inherited].map((key) => Reflect.get(token, key) as unknown);
    expect(JSON.stringify([reachable, extension.denialOf(token)])).not.toContain(text);
    expect(inherited.toSorted()).toEqual([
      'actor',
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

describe('nestjs-keycloak-s2s-mcp', () => {
  it('exports exactly the listed names', () => {
    expect(Object.keys(mcp).toSorted()).toEqual(['McpEndpoint', 'authInfoOf', 'mcpRequestAdapter']);
  });
});

describe('keycloak-test-servers', () => {
  it('exports exactly the listed names', () => {
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
