/**
 * Channels of `node:diagnostics_channel`, reasons of refusals, and helpers for logs.
 *
 * @packageDocumentation
 * @category Supported
 */
export { describeRequest } from '../../resource-server/request-description.js';
export { INTROSPECTION_CHANNEL } from '../../diagnostics/introspection-channel.js';
export { JWT_VERIFICATION_CHANNEL } from '../../diagnostics/jwt-verification-channel.js';
export { REFUSAL_CHANNEL, REFUSAL_REASON_CHANNEL } from '../../diagnostics/refusal-channel.js';
export { RepeatedLines, type UnwrittenLines } from '../../diagnostics/repeated-lines.js';
export { SERVICE_CALL_CHANNEL } from '../../diagnostics/service-call-channel.js';
export { SIGNAL_CHANNEL } from '../../diagnostics/signal-channel.js';
export { TOKEN_CHANNEL } from '../../diagnostics/token-channel.js';
export {
  AUTHORIZATION_SERVER_ERROR_REASONS,
  BEARER_ERROR_REASONS,
  SERVICE_CALL_ERROR_REASONS,
} from '../../protocol/refusal-reasons.js';

export type { Actor } from '../../protocol/actor.js';
export type { EnforcementStatus } from '../../module/keycloak-status.js';
export type { StaleAnswersStatus } from '../../authorization-server/stale-answers.js';
export type { ObservedCounts } from '../../resource-server/observed-judgements.js';
export type { ObservedRefusal } from '../../resource-server/observed-refusals.js';
export type { IntrospectionMessage } from '../../diagnostics/introspection-channel.js';
export type { JwtVerificationMessage } from '../../diagnostics/jwt-verification-channel.js';
export type { RefusalMessage, RefusalReasonMessage } from '../../diagnostics/refusal-channel.js';
export type { ServiceCallMessage } from '../../diagnostics/service-call-channel.js';
export type { SignalMessage } from '../../diagnostics/signal-channel.js';
export type { TokenMessage } from '../../diagnostics/token-channel.js';
