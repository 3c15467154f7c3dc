export { renewAfterMs, type RenewalWindow } from '../../caching/renewal.js';
export { AuthorizationServerError } from '../../protocol/authorization-server-error.js';
export { isStrictJson } from '../../authorization-server/strict-json.js';

export type { Clock } from '../../caching/clock.js';
export type { ComponentLog } from '../../resilience/component-log.js';
