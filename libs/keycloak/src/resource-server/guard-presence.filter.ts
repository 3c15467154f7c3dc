/** GuardPresence: stops the start of an application that has access decorators and no guard which enforces them. */
import { Catch, Inject, type ExceptionFilter, type OnModuleInit } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { IntrospectionGuard } from './introspection.guard.js';

export const NOT_ENFORCED =
  'Access decorators such as @RequirePermission() stand here, and nothing enforces them: import KeycloakModule.forRoot in the root module';

/** Nobody throws it, and nobody else can. */
class NeverThrown extends Error {}

/**
 * Nest makes one for every class that access decorators stand on, and calls its hook. It is a filter because a filter costs
 * nothing until something is thrown; a guard would be called for every request.
 */
@Catch(NeverThrown)
export class GuardPresence implements ExceptionFilter, OnModuleInit {
  constructor(@Inject(ModuleRef) private readonly moduleRef: ModuleRef) {}

  /** Throws `Error` when the application has no `KeycloakModule`: at its start, so that a controller can be tested without. */
  onModuleInit(): void {
    try {
      this.moduleRef.get(IntrospectionGuard, { strict: false });
    } catch (cause) {
      throw new Error(NOT_ENFORCED, { cause });
    }
  }

  /** Never called. */
  catch(exception: unknown): never {
    throw exception;
  }
}
