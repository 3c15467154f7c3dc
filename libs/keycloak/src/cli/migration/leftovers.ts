import { isClass } from './inheritance.js';
import { NEW_PACKAGE, OLD_PACKAGE, type MigratedFile } from './migrated-file.js';
import type { ProjectFacts } from './project-facts.js';
import { bare, callOf, type Syntax } from './syntax.js';

const OPENING =
  'decide for each route that this opens whether anybody may call, because RoleGuard still demanded roles; it opens no route until then.';

const BY_NAME: Readonly<Record<string, string>> = {
  AuthGuard: 'replace this use of AuthGuard, because KeycloakModule.forRoot registers KeycloakGuard.',
  ResourceGuard: 'replace this use of ResourceGuard, because KeycloakModule.forRoot registers KeycloakGuard.',
  RoleGuard: 'replace this use of RoleGuard, because KeycloakModule.forRoot registers KeycloakGuard.',
  Public: OPENING,
  Unprotected: OPENING,
  Roles: 'replace this use of Roles by RequirePermission or RequireAnyPermission.',
  ResolvedScopes: 'replace the resolved scopes by user.permissions of @Caller() user: VerifiedAccessToken.',
};

const IN_SPECS = `replace this mock by KeycloakTestingModule of ${NEW_PACKAGE}/testing, which keeps the guard in force.`;

export function markLeftovers(file: MigratedFile, facts: ProjectFacts): void {
  for (const { local, from, imported } of file.bindings.values()) {
    if (from !== OLD_PACKAGE) continue;
    for (const use of file.leftReferencesTo(local)) {
      if (file.isKept(use)) continue;
      const name = imported === '*' ? (use.parent?.field('name')?.value ?? local) : imported;
      const known = Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : undefined;
      file.decide(
        use,
        file.isSpec ? IN_SPECS : (known ?? `replace ${name} of ${OLD_PACKAGE}, which has no successor.`),
      );
    }
  }
  for (const node of file.root.walk()) {
    if (node.isText && node.value === OLD_PACKAGE) markPackage(file, node);
  }
  if (facts.isMigrated(file)) markUserReads(file);
}

function markPackage(file: MigratedFile, name: Syntax): void {
  const kind = name.parent?.kind;
  if (kind === 'ImportDeclaration') return;
  const isExport = kind === 'ExportDeclaration';
  const sentence = isExport
    ? `export the decorators of ${NEW_PACKAGE}, and change the files that import this export.`
    : `replace this use of ${OLD_PACKAGE}.`;
  file.decide(name, file.isSpec ? IN_SPECS : sentence);
}

/** `request.user` is undefined now, and code may treat a missing user as permitted. */
function markUserReads(file: MigratedFile): void {
  for (const node of file.root.walk()) {
    if (readsUser(file, node)) {
      file.decide(
        node,
        'read the caller with @Caller(), or with keycloakGuard.callerOf(context) in guards and interceptors.',
      );
    }
  }
}

function readsUser(file: MigratedFile, node: Syntax): boolean {
  if (memberOf(node) !== 'user') return false;
  const owner = node.field('expression');
  if (owner?.kind === 'ThisKeyword') return false;
  if (node.above((outer) => isGuardian(file, outer)) !== undefined) return true;
  return owner === undefined ? isPartOfRequest(file, node.parent) : isRequest(file, owner);
}

/** The name of the member that `object.name`, `object['name']` or a part `{ name }` of a pattern reads. */
function memberOf(node: Syntax): string | undefined {
  if (node.kind === 'PropertyAccessExpression') return node.field('name')?.value;
  if (node.kind === 'ElementAccessExpression') {
    const name = node.field('argumentExpression');
    return name?.isText === true ? name.value : undefined;
  }
  const isPart = node.kind === 'BindingElement' && node.parent?.kind === 'ObjectBindingPattern';
  return isPart ? (node.field('propertyName') ?? node.field('name'))?.value : undefined;
}

/** Guards, interceptors and parameter decorators get the request in many forms, so each `user` in them counts. */
function isGuardian(file: MigratedFile, node: Syntax): boolean {
  if (isClass(node)) {
    return node.fields('members').some((member) => /^(canActivate|intercept)$/.test(member.field('name')?.value ?? ''));
  }
  return file.nameIn('@nestjs/common', callOf(node)?.callee) === 'createParamDecorator';
}

const isRequestName = (name: string | undefined): boolean => name === 'req' || name === 'request';

function isPartOfRequest(file: MigratedFile, pattern: Syntax | undefined): boolean {
  const owner = pattern?.parent;
  if (owner?.kind === 'BindingElement') return isRequestName(memberOf(owner));
  if (owner?.kind === 'Parameter') return isRequestParameter(file, owner);
  const value = owner?.field('initializer');
  return value !== undefined && isRequest(file, value);
}

function isRequest(file: MigratedFile, node: Syntax): boolean {
  const value = bare(node);
  if (value.kind === 'CallExpression') {
    const callee = callOf(value)?.callee;
    return (callee?.field('name') ?? callee)?.value === 'getRequest';
  }
  if (/^(Conditional|Binary)Expression$/.test(value.kind)) return value.children.some((part) => isRequest(file, part));
  if (value.kind !== 'Identifier') return isRequestName(memberOf(value));
  const outermost = node.above((outer) => isFunction(outer) && outer.above(isFunction) === undefined);
  return [...(outermost?.walk() ?? [])].some(
    (inner) => inner.field('name')?.value === value.value && declaresRequest(file, inner),
  );
}

const isFunction = ({ kind }: Syntax): boolean =>
  /^(?:Arrow)?Function|^MethodDeclaration$|^Constructor$|Accessor$/.test(kind);

function declaresRequest(file: MigratedFile, declaration: Syntax): boolean {
  if (declaration.kind === 'Parameter') return isRequestParameter(file, declaration);
  if (declaration.kind === 'BindingElement') return isRequestName(memberOf(declaration));
  const value = declaration.kind === 'VariableDeclaration' ? declaration.field('initializer') : undefined;
  return value !== undefined && /\bgetRequest\b|[.]req(uest)?$/.test(bare(value).text);
}

/** For example, `@Req()`, or `@Context('req')` in a resolver. */
const isRequestParameter = (file: MigratedFile, parameter: Syntax): boolean =>
  parameter.decorators.some((decorator) => {
    const call = callOf(decorator);
    const name = file.nameIn('@nestjs/common', call?.callee) ?? '';
    return ['Req', 'Request'].includes(name) || isRequestName(call?.args[0]?.value);
  });
