/** Access check: what every access decorator binds to its class, so that nothing runs there which the guard did not let through. */
import { Inject, Injectable, Scope, type CanActivate, type ExecutionContext, type OnModuleInit } from '@nestjs/common';
import { GUARDS_METADATA } from '@nestjs/common/constants.js';
import { ModuleRef } from '@nestjs/core';
import { isAdmitted } from './verified-requests.js';
import { KeycloakGuard } from './keycloak.guard.js';

export const NOT_ENFORCED =
  'Access decorators such as @RequirePermission() stand here, and nothing enforces them: import KeycloakModule.forRoot in the root module, from the same copy of the package as the decorators (npm ls nestjs-keycloak-s2s)';

const NOT_ADMITTED = `${NOT_ENFORCED}. A test that replaces KeycloakGuard opens nothing: use KeycloakTestingModule and signIn()`;

const OF_A_REQUEST =
  'The options of KeycloakModule.forRootAsync depend on the request, by what is injected for them, and they are read once, at the start: inject nothing of Scope.REQUEST. Several issuers are its option issuers';

/**
 * Has the application's guard judge what it was not called for, since Nest hands no global guard to a microservice of a hybrid
 * application unless it is told to. Nest makes one for each module that has a class with access decorators, before anything listens.
 */
@Injectable()
export class GuardEverywhere implements CanActivate, OnModuleInit {
  #guard: KeycloakGuard | undefined;

  constructor(@Inject(ModuleRef) private readonly moduleRef: ModuleRef) {}

  /**
   * Throws `Error` when the application has no `KeycloakModule`: at its start, so that a controller can be tested without. So it does for a guard that
   * is made for each request, which Nest does not run as a global one.
   */
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
    // Over HTTP the global guard always runs.
    if (isAdmitted(context) || context.getType<string>() === 'http') return true;
    return this.#find().canActivate(context);
  }

  #find(): KeycloakGuard {
    const guard = this.#guard ?? this.moduleRef.get<KeycloakGuard>(KeycloakGuard, { strict: false });
    this.#guard = guard;
    return guard;
  }
}

/** Throws `Error` where the guard did not let this run pass: where there is none, or another in its place. */
function passAdmitted(context: ExecutionContext): true {
  if (isAdmitted(context)) return true;
  throw new Error(NOT_ADMITTED);
}

/**
 * It judges no token: it passes what the application's `KeycloakGuard` admitted, for this class and handler, and nothing
 * else.
 *
 * It is an object, because Nest leaves out a guard that is a class and not among the injectables of the module, as for a provider
 * that a factory makes: what the global guard does not reach there is closed.
 */
const CHECK: CanActivate = { canActivate: passAdmitted };

/** Binds the check to a class, once, before the guards that it has. */
export function bindAccessCheck(target: object): void {
  if (isAccessCheckBound(target)) return;
  const others = boundTo(target).filter((guard) => guard !== GuardEverywhere);
  Reflect.defineMetadata(GUARDS_METADATA, [GuardEverywhere, CHECK, ...others], target);
}

/** Whether Nest will run the check for every handler of the class. */
export function isAccessCheckBound(target: object): boolean {
  return boundTo(target).includes(CHECK);
}

/** As Nest reads them: those of a base class are among them. */
function boundTo(target: object): readonly unknown[] {
  return (Reflect.getMetadata(GUARDS_METADATA, target) as readonly unknown[] | undefined) ?? [];
}
