export { DeadlineCache } from '../../caching/deadline-cache.js';
export { Flights } from '../../caching/flights.js';
export { jwtVerifications, publishJwtVerification } from '../../diagnostics/jwt-verification-channel.js';
export { BearerError } from '../../protocol/bearer-error.js';
export { deepFreeze } from '../../protocol/claims.js';
export { loggableText } from '../../protocol/loggable-text.js';
export { unverifiedClaims } from '../../protocol/unverified-claims.js';

export type { Clock } from '../../caching/clock.js';
