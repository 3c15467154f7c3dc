/** The access decorators bind these guards to a class, so that a handler runs only after admission. */
import { Inject, Injectable, Scope, type CanActivate, type ExecutionContext, type OnModuleInit } from '@nestjs/common';
import { GUARDS_METADATA } from '@nestjs/common/constants.js';
import { ModuleRef } from '@nestjs/core';
import { isAdmitted } from './verified-requests.js';
import { KeycloakGuard } from './keycloak.guard.js';

export const NOT_ENFORCED =
  'Nothing enforces access decorators such as @RequirePermission() in this application. Import KeycloakModule.forRoot in the root module, from the same copy of the package as the decorators (npm ls nestjs-keycloak-s2s)';

const NOT_ADMITTED = `${NOT_ENFORCED}. A test that replaces KeycloakGuard still gets no access. Use KeycloakTestingModule and signIn()`;

const OF_A_REQUEST =
  'The options of KeycloakModule.forRootAsync depend on a request-scoped provider, but they are read once, at the start. Do not inject providers of Scope.REQUEST. For several issuers, use the option issuers';

/**
 * Runs the application's guard where Nest runs no global guard, for example in the microservice of a hybrid
 * application.
 */
@Injectable()
export class GuardEverywhere implements CanActivate, OnModuleInit {
  #guard: KeycloakGuard | undefined;

  constructor(@Inject(ModuleRef) private readonly moduleRef: ModuleRef) {}

  /** Throws only at the start, so that a test can create a controller without `KeycloakModule`. */
  onModuleInit(): void {
    if (this.#scopeOfGuard() === Scope.REQUEST) throw new Error(OF_A_REQUEST);
  }

  #scopeOfGuard(): Scope {
    try {
      return this.moduleRef.introspect(KeycloakGuard).scope;
    } catch (cause) {
      throw new Error(NOT_ENFORCED, { cause });
    }
  }

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    if (isAdmitted(context) || context.getType<string>() === 'http') return true;
    return this.#find().canActivate(context);
  }

  #find(): KeycloakGuard {
    const guard = this.#guard ?? this.moduleRef.get<KeycloakGuard>(KeycloakGuard, { strict: false });
    this.#guard = guard;
    return guard;
  }
}

function passAdmitted(context: ExecutionContext): true {
  if (isAdmitted(context)) return true;
  throw new Error(NOT_ADMITTED);
}

/** The check is an object, because Nest skips a guard class that is not an injectable of the module. */
const CHECK: CanActivate = { canActivate: passAdmitted };

export function bindAccessCheck(target: object): void {
  if (isAccessCheckBound(target)) return;
  const others = boundTo(target).filter((guard) => guard !== GuardEverywhere);
  Reflect.defineMetadata(GUARDS_METADATA, [GuardEverywhere, CHECK, ...others], target);
}

export function isAccessCheckBound(target: object): boolean {
  return boundTo(target).includes(CHECK);
}

function boundTo(target: object): readonly unknown[] {
  return (Reflect.getMetadata(GUARDS_METADATA, target) as readonly unknown[] | undefined) ?? [];
}
