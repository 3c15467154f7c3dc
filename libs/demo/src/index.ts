/** The entry point of demo: code that the services share in demo mode only. */
export { AttackersKeycloak } from './attacks/attackers-keycloak.js';
export { readAnswer, readAttempt } from './attacks/attempt-form.js';
export { AttackNotRun, attempt, isAccepted, thenCleanUp, tokenInWords } from './attacks/attempt.js';
export { AttackRuns, failureReason } from './attacks/attack-runs.js';
export { AttackTarget } from './attacks/attack-target.js';
export { readTokenRow } from './matrix/token-row-form.js';
export { KEPT, StolenTokens } from './matrix/stolen-tokens.js';
export { Helpdesk } from './attacks/helpdesk.js';
export { isRefused, presentSurely, presentUntilRefused } from './attacks/known-token.js';
export { ownAddress } from './attacks/own-address.js';
export { RequestTraceModule } from './request-trace/request-trace.module.js';
export { RequestTracer } from './request-trace/request-tracer.js';
export { parseServerTiming } from './request-trace/server-timing.js';
export { seenToken, seenTokens } from './seen-token.js';
export { MAX_SEALED_LENGTH, readSealedToken, TokenSeal } from './token-seal.js';

export type { AttackingClient } from './attacks/attackers-keycloak.js';
export type { AttackAnswer, Attempt, RefusedAfter, Sent, TokenInWords } from './attacks/attempt.js';
export type { ThrowAwayUser } from './attacks/helpdesk.js';
export type { KnownToken, Presented } from './attacks/known-token.js';
export type { Door, Targets, TokenRow } from './matrix/token-row.js';
export type { RequestTraceOptions, TraceableRequest } from './request-trace/request-tracer.js';
export type { TraceMetric, TraceStep } from './request-trace/server-timing.js';
export type { SeenToken, ShownClaim } from './seen-token.js';
export type { SealedToken } from './token-seal.js';
