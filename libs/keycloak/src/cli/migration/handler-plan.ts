import type { Access } from './access.js';
import type { OldGuard } from './guards.js';
import type { HandlerKind } from './handlers.js';
import type { MigratedFile } from './migrated-file.js';
import { permissionsFor, type RoleNames } from './role-names.js';
import type { Syntax } from './syntax.js';

export interface HandlerPlan {
  /** `own`: these decorators. `class`: the decorators of the class. `token`: any valid token. `closed`: no decorator. */
  readonly grant: 'own' | 'class' | 'token' | 'closed';
  readonly decorators: readonly string[];
  readonly decisions: readonly string[];
}

export interface HandlerFacts {
  readonly method: Access;
  readonly ofClass: Access;
  readonly kind: HandlerKind | undefined;
  readonly guards: ReadonlySet<OldGuard>;
  readonly isEnforcing: boolean;
  readonly mayHaveOtherRoles: boolean;
  readonly asksForUser: 'no' | 'always' | 'in-1.x';
}

export const OTHER_ROLES =
  'decide who may call, because RoleGuard may have demanded the roles of a base class or of a derived class; the handlers stay closed until then.';

const closed = (...decisions: readonly string[]): HandlerPlan => ({ grant: 'closed', decorators: [], decisions });

/** If the meaning of the old decorators is unclear, the plan has the stricter meaning and a sentence in `decisions`. */
export function planHandler(file: MigratedFile, facts: HandlerFacts, names: RoleNames): HandlerPlan {
  const { method, ofClass, guards } = facts;
  if (method.unclear !== undefined) return closed(method.unclear);
  if (facts.mayHaveOtherRoles) return closed(OTHER_ROLES);
  if (facts.kind === 'message') {
    return closed(
      'choose a decorator for messages, which AuthGuard did not check; the handler stays closed until then.',
    );
  }
  const resource = method.resource ?? ofClass.resource;
  const isUnderPolicy = resource !== undefined && (method.scopes ?? []).length > 0;
  if (facts.isEnforcing && !isUnderPolicy) {
    return closed(
      'choose a decorator, because PolicyEnforcementMode.ENFORCING refused calls without a resource and scopes.',
    );
  }
  if (method.scopes !== undefined && resource === undefined) {
    return closed('choose a permission for @Scopes, which has no @Resource; the handler stays closed until then.');
  }
  const roles = [method.roles === undefined && method.scopes === undefined ? undefined : ofClass.roles, method.roles];
  // RoleGuard read one @RoleMatchingMode for the roles of class and handler, so the stricter mode counts for both.
  const isAll = roles.some((demand) => demand?.isAll === true && demand.sharesMode);
  const decorators = roles.flatMap((demand) =>
    demand === undefined ? [] : permissionsFor(file, { ...demand, isAll: isAll || demand.isAll }, names),
  );
  if (isUnderPolicy) {
    const permissions = (method.scopes ?? []).map((scope) => permissionText(file, resource, scope));
    decorators.push(`${file.need('RequirePermission')}(${permissions.join(', ')})`);
  }
  if (decorators.length === 0) return planWithoutDemands(file, facts);
  const isUnknown = ({ text, isText }: Syntax): boolean =>
    !isText && (names.constants.get(text)?.split(':').length ?? Infinity) > 2;
  const hasUnknown = roles.some((demand) => demand?.roles.some(isUnknown) === true);
  const decisions = [...(hasUnknown ? [UNKNOWN_ROLE] : []), ...decisionsOn(facts, isUnderPolicy, guards)];
  return { grant: 'own', decorators: [...new Set(decorators)], decisions };
}

function decisionsOn(
  { method, ofClass }: HandlerFacts,
  isUnderPolicy: boolean,
  guards: ReadonlySet<OldGuard>,
): string[] {
  const decisions: string[] = [];
  const opening = method.opening ?? ofClass.opening;
  if (opening !== undefined) {
    decisions.push('decide whether anybody may call, because @Public and a demand applied to this handler.');
  }
  if (method.roles !== undefined && ofClass.roles !== undefined) {
    decisions.push('decide whether the roles of the class or of the method count; now a caller needs both.');
  }
  if (isUnderPolicy) {
    decisions.push('grant this permission by a client scope or by mapPermissions, as the policies of Keycloak did.');
  }
  if ((method.roles ?? ofClass.roles) !== undefined && !guards.has('RoleGuard')) {
    decisions.push('decide whether these roles are needed, because RoleGuard did not check them.');
  }
  return decisions;
}

function planWithoutDemands(file: MigratedFile, facts: HandlerFacts): HandlerPlan {
  const { method, ofClass, guards, asksForUser } = facts;
  const opening = method.opening ?? ofClass.opening;
  if (ofClass.roles !== undefined) {
    const isRefused = 'decide whether anybody may call, because RoleGuard demanded the roles of the class.';
    return { grant: 'class', decorators: [], decisions: opening === undefined ? [] : [isRefused] };
  }
  if (opening !== undefined) {
    const isChanged = opening === 'public' && asksForUser !== 'no';
    if (method.opening === undefined && !isChanged) return { grant: 'class', decorators: [], decisions: [] };
    const name = opening === 'public' && !isChanged ? 'Public' : 'OptionalToken';
    const decision = 'remove the user or keep @OptionalToken(), because @Public() never read a token.';
    const decisions = isChanged && asksForUser === 'in-1.x' ? [decision] : [];
    return { grant: 'own', decorators: [`${file.need(name)}()`], decisions };
  }
  return guards.has('AuthGuard') ? { grant: 'token', decorators: [], decisions: [] } : closed(UNGUARDED);
}

const UNKNOWN_ROLE = 'check that mapPermissions in the root module returns this role, whose name is not a literal.';

const UNGUARDED = 'choose @Public() or @Authenticated() for each handler, because no AuthGuard was found.';

function permissionText(file: MigratedFile, resource: Syntax, scope: Syntax): string {
  if (resource.isText && scope.isText) return `${file.edits.quote}${resource.value}:${scope.value}${file.edits.quote}`;
  return `\`${[resource, scope].map((name) => (name.isText ? name.value : `\${${name.text}}`)).join(':')}\``;
}
