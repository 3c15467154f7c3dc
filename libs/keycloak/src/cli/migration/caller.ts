import type { MigratedFile } from './migrated-file.js';
import { callOf, type Syntax } from './syntax.js';

const USERS = new Set(['AuthenticatedUser', 'KeycloakUser']);

const MEMBERS: Readonly<Record<string, string>> = {
  sub: 'subject',
  preferred_username: 'username',
  email: 'email',
  sid: 'sessionId',
  azp: 'clientId',
  iss: 'issuer',
  exp: 'expiresAt',
};

const decoratorsOf = (file: MigratedFile, parameter: Syntax, names: ReadonlySet<string>): Syntax | undefined =>
  parameter.decorators.find((decorator) => names.has(file.oldName(callOf(decorator)?.callee) ?? ''));

/** `@KeycloakUser()` (2.x) on a public handler returns the user of a valid token; `@AuthenticatedUser()` returns nothing. */
export function asksForUser(file: MigratedFile, method: Syntax): 'no' | 'always' | 'in-1.x' {
  const found = method.fields('parameters').map((parameter) => decoratorsOf(file, parameter, USERS));
  const decorator = found.find((one) => one !== undefined);
  if (decorator === undefined) return 'no';
  return file.oldName(callOf(decorator)?.callee) === 'KeycloakUser' ? 'always' : 'in-1.x';
}

export function migrateCallers(file: MigratedFile, isOptional: (method: Syntax) => boolean): void {
  for (const method of file.root.walk()) {
    if (method.kind !== 'MethodDeclaration') continue;
    const parameters = method.fields('parameters');
    for (const parameter of parameters) {
      const decorator = decoratorsOf(file, parameter, USERS);
      if (decorator !== undefined) new CallerParameter(file, method, parameter, isOptional(method)).migrate(decorator);
    }
    removeTokens(file, method, parameters);
  }
}

function removeTokens(file: MigratedFile, method: Syntax, parameters: readonly Syntax[]): void {
  const tokens = parameters.filter((one) => decoratorsOf(file, one, new Set(['AccessToken'])) !== undefined);
  for (const token of tokens) {
    if (usesOf(method, token.field('name')?.value).length > 0) {
      file.decide(token, 'call other services with onBehalfOf(user), because a token has no readable text.');
      file.keep(token);
      continue;
    }
    file.forget(token);
    const next = parameters[parameters.indexOf(token) + 1];
    const previous = parameters[parameters.indexOf(token) - 1];
    const [start, end] = next === undefined ? [previous?.end ?? token.start, token.end] : [token.start, next.start];
    file.edits.keepComments({ start, end });
    file.edits.replace(start, end, '');
  }
}

function usesOf(method: Syntax, name: string | undefined): Syntax[] {
  return [...(method.field('body')?.walk() ?? [])].filter((node) => {
    const isName = node.parent?.field('name') === node && node.parent.kind !== 'ShorthandPropertyAssignment';
    return node.kind === 'Identifier' && node.value === name && !isName && !isShadowed(node, method);
  });
}

function isShadowed(use: Syntax, method: Syntax): boolean {
  const declares = (scope: Syntax): boolean => {
    if (scope.fields('parameters').some((parameter) => parameter.field('name')?.value === use.value)) return true;
    if (scope === method.field('body') || !/^(Block|For.*Statement)$/.test(scope.kind)) return false;
    return [...scope.walk()].some((node) => {
      return node.kind === 'VariableDeclaration' && node.field('name')?.value === use.value;
    });
  };
  const scope = use.above((ancestor) => ancestor === method || declares(ancestor));
  return scope !== method;
}

class CallerParameter {
  readonly #name: string;
  readonly #type: string;

  constructor(
    private readonly file: MigratedFile,
    private readonly method: Syntax,
    private readonly parameter: Syntax,
    private readonly isOptional: boolean,
  ) {
    this.#name = parameter.field('name')?.value ?? '';
    this.#type = parameter.field('type')?.text ?? 'any';
  }

  migrate(decorator: Syntax): void {
    const { file, parameter } = this;
    const name = parameter.field('name');
    const pipes = (callOf(decorator)?.args ?? []).filter((arg) => !arg.isText);
    if (name?.kind !== 'Identifier' || pipes.length > 0) {
      file.keep(decorator);
      return file.decide(parameter, 'replace this parameter by @Caller() user: VerifiedAccessToken.');
    }
    file.replace(decorator, `@${file.need('Caller')}()`);
    const parameters = this.method.fields('parameters');
    const isLast = parameters.at(-1) === parameter;
    const type = file.need('VerifiedAccessToken');
    const isMarked = this.isOptional && isLast;
    const text = `${this.#name}${isMarked ? '?' : ''}: ${type}${this.isOptional && !isLast ? ' | undefined' : ''}`;
    const old = parameter.field('type');
    if (old !== undefined) file.forget(old);
    file.edits.keepComments({ start: name.start, end: parameter.end });
    file.edits.replace(name.start, parameter.end, text);
    usesOf(this.method, this.#name).forEach((use) => this.#rewrite(use));
  }

  #rewrite(use: Syntax): void {
    const { parent } = use;
    if (parent?.kind === 'ShorthandPropertyAssignment') {
      return this.file.edits.replace(parent.start, parent.end, `${this.#name}: ${this.#claims(use)}`);
    }
    if (parent?.kind !== 'PropertyAccessExpression') return this.#rewriteWhole(use);
    const name = parent.field('name');
    const dot = this.#dot(parent);
    const isRoles = name?.value === 'realm_access' && parent.parent?.field('name')?.value === 'roles';
    if (isRoles && parent.parent !== undefined) {
      return this.file.edits.replace(use.start, parent.parent.end, `${this.#name}${dot}realmRoles`);
    }
    const member = Object.hasOwn(MEMBERS, name?.value ?? '') ? MEMBERS[name?.value ?? ''] : undefined;
    if (member === undefined || !this.#isLoose) {
      return this.file.edits.replace(use.start, parent.end, `${this.#claims(use, true)}${dot}${name?.text}`);
    }
    const isArgument = parent.parent?.kind === 'CallExpression' && parent.parent.fields('arguments').includes(parent);
    const text = `${this.#name}${dot}${member}`;
    const isMissing = ['username', 'email', 'sessionId'].includes(member) || dot === '?.';
    this.file.edits.replace(use.start, parent.end, isArgument && isMissing ? `${text} as string` : text);
  }

  /** In nest-keycloak-connect, the user object was the claims, so each use outside a condition gets `.claims`. */
  #rewriteWhole(use: Syntax): void {
    const { parent } = use;
    const isCondition =
      parent?.kind === 'IfStatement' ||
      parent?.kind === 'PrefixUnaryExpression' ||
      (parent?.kind === 'ConditionalExpression' && parent.field('condition') === use) ||
      (parent?.kind === 'BinaryExpression' && /^(&&|[=!]==?)$/.test(parent.field('operatorToken')?.text ?? ''));
    if (isCondition) return;
    const isAccess = parent?.kind === 'ElementAccessExpression' && parent.field('expression') === use;
    this.file.edits.replace(use.start, use.end, this.#claims(use, isAccess));
  }

  #claims(use: Syntax, isAccess = false): string {
    const claims = `${this.#name}${this.#dot(use.parent)}claims`;
    const cast = { any: 'as any', unknown: '' }[this.#type] ?? `as unknown as ${this.#type}`;
    if (cast === '' || (this.#type === 'any' && !isAccess)) return claims;
    return isAccess || use.parent?.kind !== 'CallExpression' ? `(${claims} ${cast})` : `${claims} ${cast}`;
  }

  get #isLoose(): boolean {
    return this.#type === 'any' || this.#type === 'unknown';
  }

  #dot(access: Syntax | undefined): string {
    return this.isOptional || access?.field('questionDotToken') !== undefined ? '?.' : '.';
  }
}
