import { guardsOn, type OldGuard } from './guards.js';
import type { MigratedFile } from './migrated-file.js';
import type { ProjectFacts } from './project-facts.js';
import { isAllMode, rolesOf, type RoleDemand } from './role-names.js';
import { callOf, type Syntax } from './syntax.js';

export interface Access {
  readonly opening: 'public' | 'optional' | undefined;
  readonly roles: RoleDemand | undefined;
  readonly resource: Syntax | undefined;
  readonly scopes: readonly Syntax[] | undefined;
  readonly guards: readonly OldGuard[];
  readonly decorators: readonly Syntax[];
  readonly unclear: string | undefined;
}

const ACCESS_DECORATORS = new Set([
  'Public',
  'Unprotected',
  'Roles',
  'RoleMatchingMode',
  'Resource',
  'Scopes',
  'EnforcerOptions',
  'ConditionalScopes',
]);

const CLOSING = 'the handler stays closed until then.';

/** RoleGuard applied the mode of a class to the roles of its handlers, and the mode of a handler to the class's roles. */
const DISTANT_MODE = `choose @RequirePermission (all roles) or @RequireAnyPermission, because @RoleMatchingMode has no @Roles beside it; ${CLOSING}`;

export function accessOf(file: MigratedFile, target: Syntax, facts: ProjectFacts): Access {
  const found = new Map<string, readonly Syntax[]>();
  const decorators: Syntax[] = [];
  let unclear: string | undefined;
  for (const decorator of target.decorators) {
    const call = callOf(decorator);
    const name = file.oldName(call?.callee);
    if (call !== undefined && name !== undefined && ACCESS_DECORATORS.has(name)) {
      decorators.push(decorator);
      const key = name === 'Unprotected' ? 'Public' : name;
      if (found.has(key)) unclear ??= `keep one of the decorators @${key}; ${CLOSING}`;
      found.set(key, call.args);
    } else unclear ??= foreignDecorator(file, decorator, facts);
  }
  const roles = found.get('Roles');
  const demand = roles === undefined ? undefined : rolesOf(file, target, roles);
  const scopes = found.get('Scopes');
  const resource = found.get('Resource')?.[0];
  if (roles !== undefined && demand === undefined) {
    unclear ??= `name the roles of @Roles as literals in @RequirePermission or @RequireAnyPermission; ${CLOSING}`;
  }
  const mode = found.get('RoleMatchingMode')?.[0];
  if (roles === undefined && mode !== undefined && isAllMode(mode) !== false) unclear ??= DISTANT_MODE;
  const opening = found.get('Public');
  if (opening?.some(({ kind }) => !/^(True|False)Keyword$/.test(kind)) === true) {
    unclear ??= `choose @Public() or @OptionalToken(); ${CLOSING}`;
  }
  if (found.has('ConditionalScopes')) unclear ??= `replace @ConditionalScopes by permissions; ${CLOSING}`;
  if ([...(scopes ?? []), ...(resource === undefined ? [] : [resource])].some((name) => !isName(name))) {
    unclear ??= `name the resource and the scopes as literals in @RequirePermission; ${CLOSING}`;
  }
  return {
    opening: openingOf(opening),
    roles: demand,
    resource,
    scopes,
    guards: guardsOn(file, target),
    decorators,
    unclear,
  };
}

const isName = (node: Syntax): boolean => node.isText || node.kind === 'PropertyAccessExpression';

function openingOf(args: readonly Syntax[] | undefined): 'public' | 'optional' | undefined {
  if (args === undefined) return undefined;
  return args[0] === undefined || args[0].kind === 'TrueKeyword' ? 'public' : 'optional';
}

function foreignDecorator(file: MigratedFile, decorator: Syntax, facts: ProjectFacts): string | undefined {
  const expression = callOf(decorator)?.callee ?? decorator.field('expression');
  const owner = expression?.kind === 'PropertyAccessExpression' ? expression.field('expression') : expression;
  const binding = file.bindingOf(owner);
  const name = expression?.text.replaceAll(/\s+/g, '') ?? '';
  const question = `say who may call, because @${name} may contain a decorator of nest-keycloak-connect; ${CLOSING}`;
  if (binding?.from === '@nestjs/common' && binding.imported === 'SetMetadata') return question;
  if (binding?.from === '@nestjs/common' && binding.imported === 'applyDecorators') return question;
  if (binding === undefined) return question;
  if (file.oldName(expression) !== undefined) return question;
  return facts.mayGrantAccess(file, binding.from) ? question : undefined;
}
