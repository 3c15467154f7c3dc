/**
 * The entry point nestjs-keycloak-s2s/extension: types for custom channels, caches, adapters and verifications, and the access of
 * handlers.
 *
 * @packageDocumentation
 * @category Supported
 */
export { denialOf } from '../../protocol/denial.js';
export { ChallengeScopes, LongLivedResponse } from '../../resource-server/access.decorators.js';
export { HandlerAccess } from '../../resource-server/handler-access.js';

export type {
  ConnectedSharedCache,
  SharedCache,
  SharedCacheContext,
  SharedEntry,
  SharedLookup,
} from '../../caching/shared-cache.js';
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
} from '../../revocation/revocation-channel.js';
export type { ChannelRefusal, RefusalCounts } from '../../revocation/channel-refusals.js';
export type { ReceivedPeriod } from '../../revocation/signal-proof.js';
export type { IssuerRecheck, Recheck } from '../../revocation/rechecks.js';
export type { ReadDenial } from '../../protocol/denial.js';
export type {
  CallContext,
  AdaptedRefusal,
  AdaptedRequest,
  RequestAdapter,
  LongLivedConnection,
} from '../../resource-server/request.adapter.js';
export type { HandlerDemands } from '../../resource-server/handler-access.js';
export type {
  ConnectedJwtVerification,
  JwtVerification,
  JwtVerificationContext,
  SignedClaims,
} from '../../resource-server/jwt-verification.js';
