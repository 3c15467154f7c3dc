import { NEW_PACKAGE, OLD_PACKAGE, type MigratedFile } from './migrated-file.js';
import type { ProjectFacts } from './project-facts.js';
import { callOf, type Syntax } from './syntax.js';

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
    const isUser = node.kind === 'PropertyAccessExpression' && node.field('name')?.value === 'user';
    if (isUser && facts.isMigrated(file)) markRequestUser(file, node);
  }
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
function markRequestUser(file: MigratedFile, access: Syntax): void {
  const request = access.field('expression');
  if (request === undefined || !isRequest(file, request)) return;
  file.decide(
    access,
    'read the caller with @Caller(), or with keycloakGuard.callerOf(context) in guards and interceptors.',
  );
}

function isRequest(file: MigratedFile, node: Syntax): boolean {
  if (node.kind === 'CallExpression') return callOf(node)?.callee.field('name')?.value === 'getRequest';
  if (node.kind !== 'Identifier') return false;
  const scope = node.above(
    ({ kind }) => kind === 'MethodDeclaration' || kind === 'FunctionDeclaration' || kind === 'ArrowFunction',
  );
  return [...(scope?.walk() ?? [])].some((inner) => {
    if (inner.field('name')?.value !== node.value) return false;
    if (inner.kind === 'VariableDeclaration') return inner.field('initializer')?.text.includes('getRequest') === true;
    const names = inner.decorators.map((one) => file.nameIn('@nestjs/common', callOf(one)?.callee));
    return inner.kind === 'Parameter' && names.some((name) => name === 'Req' || name === 'Request');
  });
}
