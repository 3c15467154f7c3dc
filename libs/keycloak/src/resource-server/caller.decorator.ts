import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import { routeAccess } from './route-access.js';
import { callTokenOf, isObserved, verifiedTokenOf } from './verified-requests.js';

function callerTokenOf(_: unknown, context: ExecutionContext): VerifiedAccessToken | undefined {
  const token =
    context.getType<string>() === 'http'
      ? verifiedTokenOf(context.getArgByIndex<object>(0))
      : callTokenOf(context.getArgs());
  if (token !== undefined) return token;
  if (routeAccess(context.getClass(), context.getHandler()).opening === 'optional') return undefined;
  if (isObserved(context.getArgs())) return undefined;
  throw new TypeError('@Caller() needs a handler that verifies tokens, and this one does not');
}

const callerToken = createParamDecorator(callerTokenOf);

/**
 * Injects the `VerifiedAccessToken` of the caller, or undefined if a call of an `@OptionalToken()` handler has no
 * credentials. With `enforcement: 'observe'`, injects undefined in each call. An application with `@Caller()` on a
 * `@Public()` handler or on an unguarded GraphQL field does not start.
 */
export const Caller: ReturnType<typeof createParamDecorator<unknown>> =
  (...pipes) =>
  (target, name, index) => {
    callerToken(...pipes)(target, name, index);
    if (name !== undefined) hideType(target, name, index);
  };

export function asksForAccessToken(classes: readonly object[], method: string): boolean {
  return classes.some((type) => {
    const parameters = Object(Reflect.getMetadata(ROUTE_ARGS_METADATA, type, method)) as Readonly<
      Record<string, object>
    >;
    return Object.values(parameters).some((parameter) => 'factory' in parameter && parameter.factory === callerTokenOf);
  });
}

const TYPES = 'design:paramtypes';

/** Prevents a `ValidationPipe` with `validateCustomDecorators` from replacing the caller by a new object. */
function hideType(target: object, name: string | symbol, index: number): void {
  const types = Reflect.getOwnMetadata(TYPES, target, name) as unknown[] | undefined;
  if (types !== undefined) Reflect.defineMetadata(TYPES, types.with(index, Object), target, name);
}
