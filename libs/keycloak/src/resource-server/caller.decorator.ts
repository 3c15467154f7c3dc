/** @Caller(): the caller's judged token as a handler's parameter. */
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import { routeAccess } from './route-access.js';
import { callTokenOf, verifiedTokenOf } from './verified-requests.js';

function judgedTokenOf(_: unknown, context: ExecutionContext): VerifiedAccessToken | undefined {
  const token =
    context.getType<string>() === 'http'
      ? verifiedTokenOf(context.getArgByIndex<object>(0))
      : callTokenOf(context.getArgs());
  if (token !== undefined) return token;
  if (routeAccess(context.getClass(), context.getHandler()).opening === 'optional') return undefined;
  throw new TypeError('@Caller() needs a handler that judges tokens, and this one does not');
}

const judgedToken = createParamDecorator(judgedTokenOf);

/**
 * Gives a `VerifiedAccessToken`; on an `@OptionalToken()` handler undefined when no credentials were sent. No
 * token is looked at for a `@Public()` handler, nor for a field of GraphQL without guards, so `@Caller()` on one stops the start.
 */
export const Caller: ReturnType<typeof createParamDecorator<unknown>> =
  (...pipes) =>
  (target, name, index) => {
    judgedToken(...pipes)(target, name, index);
    if (name !== undefined) hideType(target, name, index);
  };

/** Whether a method has `@Caller()` among its parameters, by any of the classes that Nest may read them from. */
export function asksForAccessToken(classes: readonly object[], method: string): boolean {
  return classes.some((type) => {
    const parameters = Object(Reflect.getMetadata(ROUTE_ARGS_METADATA, type, method)) as Readonly<
      Record<string, object>
    >;
    return Object.values(parameters).some((parameter) => 'factory' in parameter && parameter.factory === judgedTokenOf);
  });
}

/** What the compiler keeps of the types of parameters. */
const TYPES = 'design:paramtypes';

/** Pipes such as `ValidationPipe` with `validateCustomDecorators` make another object of the type of a parameter, and nobody but the guard makes a judged token. */
function hideType(target: object, name: string | symbol, index: number): void {
  const types = Reflect.getOwnMetadata(TYPES, target, name) as unknown[] | undefined;
  if (types !== undefined) Reflect.defineMetadata(TYPES, types.with(index, Object), target, name);
}
