/**
 * The main entry point of nestjs-keycloak-s2s, which exports nothing that returns the text of a caller's token.
 *
 * @packageDocumentation
 * @category Core
 */
export { KeycloakModule } from './module/keycloak.module.js';
export { StartVerificationError } from './checkup/start-verification.service.js';
export { ConfigurationError, ConfigurationFaults } from './protocol/configuration-faults.js';
export { KeycloakOptionsError } from './options/option-kinds.js';
export { KeycloakStatus } from './module/keycloak-status.js';
export { isProduction } from './protocol/production.js';

export { Caller } from './resource-server/caller.decorator.js';
export {
  AllowClients,
  Authenticated,
  MaxIntrospectionAge,
  OptionalToken,
  Public,
  RequireAnyPermission,
  RequireStepUp,
  RequirePermission,
  TokenVerification,
} from './resource-server/access.decorators.js';
export { AccessTokenVerifier } from './resource-server/access-token-verifier.js';
export { KeycloakGuard } from './resource-server/keycloak.guard.js';
export { KeycloakExceptionFilter } from './resource-server/keycloak-exception.filter.js';
export { verifiedTokenOf } from './resource-server/verified-requests.js';

export { ClientCredentialsTokenProvider } from './client/client-credentials-token-provider.js';
export { getServiceClientToken, InjectServiceClient } from './client/inject-service-client.decorator.js';
export { ServiceCallError } from './client/service-call-error.js';
export { ServiceCaller, ServiceClient } from './client/service-client.js';
export { TokenExchangeClient } from './client/token-exchange-client.js';

export { AuthorizationServerHealth } from './authorization-server/server-health.js';

export { authenticationFault } from './protocol/authentication-demand.js';
export { AuthorizationServerError } from './protocol/authorization-server-error.js';
export { BearerError } from './protocol/bearer-error.js';
export { clientRoles, realmRoles } from './protocol/claims.js';
export { IssuedToken } from './protocol/issued-token.js';
export { KeycloakException } from './protocol/keycloak-exception.js';
export { VerifiedAccessToken } from './protocol/verified-access-token.js';

export { RevocationList } from './revocation/revocation-list.js';

export type { RevocationChannelState, RevocationChannelStatus } from './revocation/revocation-sharing.js';
export type { KeycloakStatusSnapshot, SignalFeedState } from './module/keycloak-status.js';
export type { ServiceRegistration } from './module/keycloak.module.js';
export type { KeycloakOptionsFactory } from './module/keycloak.module-definition.js';
export type { ClientCredentials, IssuerOptions } from './options/issuer.options.js';
export type {
  AnyModuleOptions,
  CommonModuleOptions,
  KeycloakModuleOptions,
  MultiIssuerModuleOptions,
} from './options/keycloak.options.js';
export type { ProtectedResourceOptions } from './options/protected-resource.options.js';
export type { ServiceOptions, ServiceScopes } from './options/service.options.js';
export type { TlsOptions } from './options/tls.options.js';
export type { AuthorizationServerStatus } from './authorization-server/server-health.js';
export type { SafeBody, ServiceCallErrorCode } from './client/service-call-error.js';
export type { TokenOrigin } from './client/client-credentials-token-provider.js';
export type { MessageHeaders } from './client/message-headers.js';
export type { ServiceQuery, ServiceQueryValue } from './client/json-calls.js';
export type { ServiceRequestOptions, ServiceResponse } from './client/service-client.js';
export type { AuthorizationServerErrorCode } from './protocol/authorization-server-error.js';
export type {
  AuthenticationClaims,
  AuthenticationDemand,
  AuthenticationFault,
} from './protocol/authentication-demand.js';
export type { BearerErrorCode } from './protocol/bearer-error.js';
export type { AccessTokenClaims, IntrospectionAnswer } from './protocol/claims.js';
export type { Denial } from './protocol/denial.js';
export type { OAuthErrorCode } from './protocol/oauth-error-codes.js';
export type {
  AuthorizationServerErrorReason,
  BearerErrorReason,
  RefusalReason,
  ServiceCallErrorReason,
} from './protocol/refusal-reasons.js';
export type { RefusalBody, RefusalCode } from './protocol/keycloak-exception.js';
export type { CallsState, CircuitState } from './resilience/call-gate.js';
export type { RouteDecorator } from './resource-server/access.decorators.js';
export type { AllowedClient, ClientOfIssuer } from './resource-server/allowed-client.js';
export type { AuthenticationRequirement } from './resource-server/authentication-requirement.js';
export type { ProfileName } from './protocol/token-profile.js';
export type { VerificationMethod } from './resource-server/verification.js';
export type { VerifyOptions } from './resource-server/access-token-verifier.js';
export type { PermissionContext, PermissionMapper } from './resource-server/permission-mapper.js';
export type { RefusalReply } from './resource-server/keycloak-exception.filter.js';
