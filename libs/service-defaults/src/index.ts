/** The door of service-defaults: what the services of this repository share. */
export { AttackersKeycloak } from './attacks/attackers-keycloak.js';
export { readAttempt } from './attacks/attempt-form.js';
export { AttackNotRun, attempt, isAccepted, thenEnd } from './attacks/attempt.js';
export { AttackRuns } from './attacks/attack-runs.js';
export { AttackTarget } from './attacks/attack-target.js';
export { ownAddress } from './attacks/own-address.js';
export { bootstrap } from './bootstrap.js';
export { createService, equipService, serviceAdapter } from './create-service.js';
export { RequestTraceModule } from './request-trace/request-trace.module.js';
export { RequestTracer } from './request-trace/request-tracer.js';
export { parseServerTiming } from './request-trace/server-timing.js';
export { seenToken, seenTokens } from './seen-token.js';
export { ServiceDefaultsModule } from './service-defaults.module.js';
export { securityHeaders } from './security-headers.js';
export { readServiceSettings } from './service-settings.js';
export { SettingsError } from './variables.js';

export type { AttackingClient } from './attacks/attackers-keycloak.js';
export type { AttackAnswer, Attempt, Sent, TokenInWords } from './attacks/attempt.js';
export type { DemoSettings } from './demo-settings.js';
export type { LoginSettings } from './login-settings.js';
export type { RequestTraceOptions, TraceableRequest } from './request-trace/request-tracer.js';
export type { TraceMetric, TraceStep } from './request-trace/server-timing.js';
export type { SeenToken, ToldClaim } from './seen-token.js';
export type { ServiceModule } from './service-module.js';
export type { LoginServiceSettings, ServiceDescription, ServiceSettings } from './service-settings.js';
export type { Environment } from './variables.js';
export type { Whoami } from './whoami.controller.js';
