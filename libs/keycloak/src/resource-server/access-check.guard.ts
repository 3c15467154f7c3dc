/** AccessCheck: what every access decorator binds to its class, so that nothing runs there which the guard did not let through. */
import { Logger, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { EXCEPTION_FILTERS_METADATA, GUARDS_METADATA } from '@nestjs/common/constants.js';
import { publishRefusal } from '../diagnostics/refusal-channel.js';
import { BearerError } from '../protocol/bearer-error.js';
import { isAdmitted } from './admitted-contexts.js';
import { GuardPresence, NOT_ENFORCED } from './guard-presence.filter.js';

const NOT_ADMITTED = `${NOT_ENFORCED}. A test that replaces IntrospectionGuard opens nothing: use KeycloakTestingModule and signIn()`;

/** Throws `BearerError` `route_closed` in a context other than HTTP, and `Error` where there is no guard at all. */
function passAdmitted(context: ExecutionContext): true {
  if (isAdmitted(context)) return true;
  const kind = context.getType<string>();
  if (kind !== 'http') throw told(new BearerError('route_closed', { reason: 'context_not_http', fields: { kind } }));
  throw new Error(NOT_ADMITTED);
}

/** No guard and no filter of the library runs there, and Nest is silent about an `HttpException`. */
function told(refusal: BearerError): BearerError {
  const { code, reason, fields } = refusal;
  publishRefusal(refusal);
  new Logger('Refusal').log({ message: 'Request refused', code, reason, ...fields });
  return refusal;
}

/**
 * It judges no token: it passes what the application's `IntrospectionGuard` admitted, for this class and handler, and nothing
 * else. So it holds where a global guard does not reach, as in a microservice of a hybrid application.
 *
 * It is an object, because Nest leaves out a guard that is a class and not among the injectables of the module, as for a provider
 * that a factory makes.
 */
const CHECK: CanActivate = { canActivate: passAdmitted };

/** Binds the check to a class, once, before the guards that it has. */
export function bindAccessCheck(target: object): void {
  if (isAccessCheckBound(target)) return;
  Reflect.defineMetadata(GUARDS_METADATA, [CHECK, ...boundTo(target, GUARDS_METADATA)], target);
  const filters = boundTo(target, EXCEPTION_FILTERS_METADATA);
  Reflect.defineMetadata(EXCEPTION_FILTERS_METADATA, [...filters, GuardPresence], target);
}

/** Whether Nest will run the check for every handler of the class. */
export function isAccessCheckBound(target: object): boolean {
  return boundTo(target, GUARDS_METADATA).includes(CHECK);
}

/** As Nest reads them: those of a base class are among them. */
function boundTo(target: object, key: string): readonly unknown[] {
  return (Reflect.getMetadata(key, target) as readonly unknown[] | undefined) ?? [];
}
