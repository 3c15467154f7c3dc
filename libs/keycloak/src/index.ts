/** The door of nestjs-keycloak-s2s: everything a service may use, and nothing that holds a caller's token text. */
export { KeycloakModule } from './module/keycloak.module.js';
export { StartVerificationError } from './checkup/start-verification.service.js';
export { ConfigurationError, ConfigurationFaults } from './protocol/configuration-faults.js';
export { KeycloakOptionsError } from './options/option-kinds.js';
export { KeycloakStatus } from './module/keycloak-status.js';
export { isProduction } from './protocol/production.js';

export { AccessToken } from './resource-server/access-token.decorator.js';
export {
  AllowClients,
  Authenticated,
  MaxStaleness,
  OptionalToken,
  Public,
  RequireAnyPermission,
  RequireAuthentication,
  RequirePermission,
  Verification,
} from './resource-server/access.decorators.js';
export { AccessTokenVerifier } from './resource-server/access-token-verifier.js';
export { IntrospectionGuard } from './resource-server/introspection.guard.js';
export { describeRequest } from './resource-server/request-description.js';
export { RefusalFilter } from './resource-server/refusal.filter.js';
export { verifiedTokenOf } from './resource-server/verified-requests.js';

export { ClientCredentialsTokenProvider } from './client/client-credentials-token-provider.js';
export { getServiceClientToken, InjectServiceClient } from './client/inject-service-client.decorator.js';
export { ServiceCallError } from './client/service-call-error.js';
export { ServiceCaller, ServiceClient } from './client/service-client.js';
export { TokenExchangeClient } from './client/token-exchange-client.js';

export { AuthorizationServerFetch } from './authorization-server/authorization-server-fetch.js';
export { ClientAuthenticator } from './authorization-server/client-authenticator.js';
export { AuthorizationServerHealth } from './authorization-server/server-health.js';

export { clientAssertionFile } from './client-authentication/client-assertion-file.js';
export { clientSecretFile, clientSecretFrom } from './client-authentication/client-secret.js';
export { privateKeyJwt } from './client-authentication/private-key-jwt.js';

export { INTROSPECTION_CHANNEL } from './diagnostics/introspection-channel.js';
export { JWT_VERIFICATION_CHANNEL } from './diagnostics/jwt-verification-channel.js';
export { REFUSAL_CHANNEL, REFUSAL_REASON_CHANNEL } from './diagnostics/refusal-channel.js';
export { RepeatedLines, type UnwrittenLines } from './diagnostics/repeated-lines.js';
export { SERVICE_CALL_CHANNEL } from './diagnostics/service-call-channel.js';
export { SIGNAL_CHANNEL } from './diagnostics/signal-channel.js';
export { TOKEN_CHANNEL } from './diagnostics/token-channel.js';

export { authenticationFault } from './protocol/authentication-demand.js';
export { AuthorizationServerError } from './protocol/authorization-server-error.js';
export { BearerError } from './protocol/bearer-error.js';
export { clientRoles, realmRoles } from './protocol/claims.js';
export { denialOf } from './protocol/denial.js';
export { IssuedToken } from './protocol/issued-token.js';
export {
  AUTHORIZATION_SERVER_ERROR_REASONS,
  BEARER_ERROR_REASONS,
  SERVICE_CALL_ERROR_REASONS,
} from './protocol/refusal-reasons.js';
export { Refusal } from './protocol/refusal.js';
export { VerifiedAccessToken } from './protocol/verified-access-token.js';

export { RevocationList } from './revocation/revocation-list.js';

export type {
  ConnectedSharedCache,
  SharedCache,
  SharedCacheContext,
  SharedEntry,
  SharedLookup,
} from './caching/shared-cache.js';
export type {
  ChannelExamination,
  ChannelFault,
  ChannelProof,
  ChannelQuestion,
  ChannelReadability,
  ConnectedRevocationChannel,
  FeedLease,
  ProofChannel,
  ProofOutcome,
  ProofKeysStatus,
  RevocationChannel,
  RevocationChannelContext,
  RevocationReceiver,
  SharedRevocation,
} from './revocation/revocation-channel.js';
export type { ChannelRefusal, RefusalCounts } from './revocation/channel-refusals.js';
export type { HeardStretch } from './revocation/signal-proof.js';
export type { RevocationChannelState, RevocationChannelStatus } from './revocation/revocation-sharing.js';
export type { IssuerRecheck, Recheck } from './revocation/rechecks.js';
export type {
  ClientAuthentication,
  ClientAuthenticationContext,
  ClientCredential,
  ConnectedClientAuthentication,
} from './client-authentication/client-authentication.js';
export type { ClientSecretFromOptions } from './client-authentication/client-secret.js';
export type { PrivateKeyJwt, PrivateKeyJwtOptions } from './client-authentication/private-key-jwt.js';
export type { PublicJwks } from './client-authentication/signing-keys.js';
export type { KeycloakStatusSnapshot, SignalFeedState } from './module/keycloak-status.js';
export type { ServiceRegistration } from './module/keycloak.module.js';
export type { IssuerOptions } from './options/issuer.options.js';
export type {
  AnyModuleOptions,
  CommonModuleOptions,
  KeycloakModuleOptions,
  MultiIssuerModuleOptions,
} from './options/keycloak.options.js';
export type { ProtectedResourceOptions } from './options/protected-resource.options.js';
export type { ServiceOptions, ServiceScopes } from './options/service.options.js';
export type { TlsOptions } from './options/tls.options.js';
export type { AuthorizationServerRequest } from './authorization-server/authorization-server-fetch.js';
export type { AuthorizationServerStatus } from './authorization-server/server-health.js';
export type { SafeBody, ServiceCallErrorCode } from './client/service-call-error.js';
export type { TokenOrigin } from './client/client-credentials-token-provider.js';
export type { MessageHeaders } from './client/message-headers.js';
export type { ServiceQuery, ServiceQueryValue } from './client/json-calls.js';
export type { ServiceRequestOptions, ServiceResponse } from './client/service-client.js';
export type { IntrospectionMessage } from './diagnostics/introspection-channel.js';
export type { JwtVerificationMessage } from './diagnostics/jwt-verification-channel.js';
export type { RefusalMessage, RefusalReasonMessage } from './diagnostics/refusal-channel.js';
export type { ServiceCallMessage } from './diagnostics/service-call-channel.js';
export type { SignalMessage } from './diagnostics/signal-channel.js';
export type { TokenMessage } from './diagnostics/token-channel.js';
export type { AuthorizationServerErrorCode } from './protocol/authorization-server-error.js';
export type {
  AuthenticationClaims,
  AuthenticationDemand,
  AuthenticationFault,
} from './protocol/authentication-demand.js';
export type { BearerErrorCode } from './protocol/bearer-error.js';
export type { AccessTokenClaims, IntrospectionAnswer } from './protocol/claims.js';
export type { Denial, ReadDenial } from './protocol/denial.js';
export type { OAuthErrorCode } from './protocol/oauth-error-codes.js';
export type {
  AuthorizationServerErrorReason,
  BearerErrorReason,
  RefusalReason,
  ServiceCallErrorReason,
} from './protocol/refusal-reasons.js';
export type { RefusalBody, RefusalCode } from './protocol/refusal.js';
export type { CallsState, CircuitState } from './resilience/call-gate.js';
export type { RouteDecorator } from './resource-server/access.decorators.js';
export type { AllowedClient, ClientOfIssuer } from './resource-server/allowed-client.js';
export type { AuthenticationRequirement } from './resource-server/authentication-requirement.js';
export type {
  CallContext,
  CarriedRefusal,
  CarriedRequest,
  CredentialCarrier,
  LongLivedConnection,
} from './resource-server/credential.carrier.js';
export type {
  ConnectedJwtVerification,
  JwtVerification,
  JwtVerificationContext,
  SignedClaims,
} from './resource-server/jwt-verification.js';
export type { ProfileName } from './protocol/token-profile.js';
export type { TokenVerification } from './resource-server/verification.js';
export type { VerifyOptions } from './resource-server/access-token-verifier.js';
export type { PermissionContext, PermissionMapper } from './resource-server/judge-access-token.js';
export type { RefusalReply } from './resource-server/refusal.filter.js';
