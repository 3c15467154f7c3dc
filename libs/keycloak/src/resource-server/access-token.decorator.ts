/** @AccessToken(): the caller's judged token as a handler's parameter. */
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import { routeAccess } from './route-access.js';
import { callTokenOf, verifiedTokenOf } from './verified-requests.js';

/**
 * Gives a `VerifiedAccessToken`; on an `@OptionalToken()` handler undefined when no credentials were sent. On a
 * `@Public()` one there is never one, so asking for it is a programming error and throws.
 */
export const AccessToken = createParamDecorator(
  (_: unknown, context: ExecutionContext): VerifiedAccessToken | undefined => {
    const token =
      context.getType<string>() === 'http'
        ? verifiedTokenOf(context.getArgByIndex<object>(0))
        : callTokenOf(context.getArgs());
    if (token !== undefined) return token;
    if (routeAccess(context.getClass(), context.getHandler()).opening === 'optional') return undefined;
    throw new TypeError('@AccessToken() needs a handler that judges tokens, and this one does not');
  },
);
