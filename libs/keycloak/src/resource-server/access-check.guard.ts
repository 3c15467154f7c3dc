/** AccessCheck: what every access decorator binds to its class, so that nothing runs there which the guard did not let through. */
import { Inject, type CanActivate, type ExecutionContext, type OnModuleInit } from '@nestjs/common';
import { GUARDS_METADATA } from '@nestjs/common/constants.js';
import { ModuleRef } from '@nestjs/core';
import { BearerError } from '../protocol/bearer-error.js';
import { isAdmitted } from './admitted-contexts.js';
import { IntrospectionGuard } from './introspection.guard.js';

const NOT_ENFORCED =
  'Access decorators such as @RequirePermission() stand here, and nothing enforces them: import KeycloakModule.forRoot in the root module';
const NOT_ADMITTED = `${NOT_ENFORCED}. A test that replaces IntrospectionGuard opens nothing: use KeycloakTestingModule and signIn()`;

/**
 * It judges no token: it passes what the application's `IntrospectionGuard` admitted, for this class and handler, and nothing
 * else. So it costs a look at a property, and holds where a global guard does not reach, as in a microservice of a hybrid application.
 */
export class AccessCheck implements CanActivate, OnModuleInit {
  constructor(@Inject(ModuleRef) private readonly moduleRef: ModuleRef) {}

  /** Throws `Error` when the application has no `KeycloakModule`: at its start, so that a controller can be tested without. */
  onModuleInit(): void {
    try {
      this.moduleRef.get(IntrospectionGuard, { strict: false });
    } catch (cause) {
      throw new Error(NOT_ENFORCED, { cause });
    }
  }

  canActivate(context: ExecutionContext): true {
    return passAdmitted(context);
  }
}

/** Throws `BearerError` `route_closed` in a context other than HTTP, and `Error` where there is no guard at all. */
function passAdmitted(context: ExecutionContext): true {
  if (isAdmitted(context)) return true;
  const kind = context.getType<string>();
  if (kind !== 'http') throw new BearerError('route_closed', { reason: 'context_not_http', fields: { kind } });
  throw new Error(NOT_ADMITTED);
}

/**
 * Nest leaves out a guard that is a class and not among the injectables of the module, as for a provider that a factory makes; an
 * object it never leaves out. The class is there for the start: Nest calls its hook.
 */
const CHECK: CanActivate = { canActivate: passAdmitted };

/** Binds the check to a class, once, before the guards that it has. */
export function bindAccessCheck(target: object): void {
  if (isAccessCheckBound(target)) return;
  Reflect.defineMetadata(GUARDS_METADATA, [CHECK, AccessCheck, ...guardsOf(target)], target);
}

/** Whether Nest will run the check for every handler of the class. */
export function isAccessCheckBound(target: object): boolean {
  return guardsOf(target).includes(CHECK);
}

/** As Nest reads them: those of a base class are among them. */
function guardsOf(target: object): readonly unknown[] {
  return (Reflect.getMetadata(GUARDS_METADATA, target) as readonly unknown[] | undefined) ?? [];
}
