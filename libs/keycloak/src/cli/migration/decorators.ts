import { accessOf, type Access } from './access.js';
import { asksForUser } from './caller.js';
import { OTHER_ROLES, planHandler, type HandlerPlan } from './handler-plan.js';
import { handlerKind, isHandlerClass } from './handlers.js';
import { isClass, type Inheritance } from './inheritance.js';
import type { MigratedFile } from './migrated-file.js';
import type { ProjectFacts } from './project-facts.js';
import { permissionsFor } from './role-names.js';
import type { Syntax } from './syntax.js';

/** Returns the handlers that accept calls without a token. */
export function migrateDecorators(
  file: MigratedFile,
  facts: ProjectFacts,
  inheritance: Inheritance,
): ReadonlySet<Syntax> {
  const classes = [...file.root.walk()].filter(isClass);
  const migrations = classes.map((node) => new ClassMigration(file, node, facts, inheritance.mayHaveOtherRoles(node)));
  migrations.forEach((migration) => migration.run());
  return new Set(migrations.flatMap(({ optional }) => optional));
}

interface Handler {
  readonly method: Syntax;
  readonly access: Access;
}

class ClassMigration {
  readonly optional: Syntax[] = [];
  readonly #access: Access;
  readonly #handlers: readonly Handler[];
  readonly #isOfNest: boolean;

  constructor(
    private readonly file: MigratedFile,
    private readonly node: Syntax,
    private readonly facts: ProjectFacts,
    private readonly mayHaveOtherRoles: boolean,
  ) {
    this.#access = accessOf(file, node, facts);
    this.#isOfNest = isHandlerClass(file, node);
    this.#handlers = node.fields('members').flatMap((method) => {
      const access = accessOf(file, method, facts);
      if (handlerKind(file, method) !== undefined || access.decorators.length > 0) return [{ method, access }];
      // An unknown decorator may make the method a handler.
      const mayBeHandler = this.#isOfNest && method.kind === 'MethodDeclaration' && access.unclear !== undefined;
      return mayBeHandler ? [{ method, access }] : [];
    });
    const left = this.#isUnclear ? [this.#access, ...this.#handlers.map(({ access }) => access)] : [];
    const unclear = this.#handlers.flatMap(({ access }) => (access.unclear === undefined ? [] : [access]));
    [...left, ...unclear].flatMap(({ decorators }) => decorators).forEach((decorator) => file.keep(decorator));
  }

  get #isUnclear(): boolean {
    return this.#access.unclear !== undefined && (this.#isOfNest || this.#access.decorators.length > 0);
  }

  get #inherits(): boolean {
    return this.#isOfNest && this.node.fields('heritageClauses').some(({ text }) => text.startsWith('extends'));
  }

  run(): void {
    if (this.#isUnclear) return this.file.decide(this.node, this.#access.unclear ?? '');
    const ofClass = this.#decoratorsOfClass();
    const plans = this.#handlers.map((handler) => ({ ...handler, plan: this.#plan(handler) }));
    // A decorator on the class would also apply to inherited handlers and to handlers that must stay closed.
    const isSplit = this.#inherits || this.mayHaveOtherRoles || plans.some(({ plan }) => plan.grant === 'closed');
    const isForToken = ofClass.length === 0 && this.#isOfNest && plans.some(({ plan }) => plan.grant === 'token');
    const shared = isForToken ? [`${this.file.need('Authenticated')}()`] : ofClass;
    this.#write(this.node, this.#access, isSplit ? [] : shared);
    const decided = new Set<string>();
    if (this.mayHaveOtherRoles && ofClass.length > 0) this.file.decide(this.node, OTHER_ROLES);
    for (const { method, access, plan } of plans) {
      const isShared = plan.grant === 'class' || (plan.grant === 'token' && this.#isOfNest);
      if (access.unclear === undefined) this.#write(method, access, isShared && isSplit ? shared : plan.decorators);
      if (this.#isOptional(access, plan)) this.optional.push(method);
      const sentences = plan.decisions.filter((sentence) => !decided.has(sentence));
      sentences.forEach((sentence) => this.#decide(method, access, sentence, decided));
    }
    if (this.#inherits) {
      this.file.decide(this.node, 'choose a decorator for the inherited handlers, which stay closed until then.');
    }
  }

  #isOptional(access: Access, plan: HandlerPlan): boolean {
    if (plan.grant === 'own') return plan.decorators.some((name) => name.endsWith('OptionalToken()'));
    const isUnclear = access.unclear !== undefined && access.opening !== undefined;
    return isUnclear || (plan.grant === 'class' && this.#access.opening === 'optional');
  }

  #decide(method: Syntax, access: Access, sentence: string, decided: Set<string>): void {
    if (access.decorators.length === 0) decided.add(sentence);
    this.file.decide(access.decorators[0] ?? method, sentence);
  }

  #plan({ method, access }: Handler): HandlerPlan {
    const guards = new Set([...this.facts.guardsFor(this.file), ...this.#access.guards, ...access.guards]);
    const isEnforcing = this.facts.isEnforcing && guards.has('ResourceGuard');
    const kind = handlerKind(this.file, method);
    const { mayHaveOtherRoles } = this;
    const user = asksForUser(this.file, method);
    const shared = { ofClass: this.#access, mayHaveOtherRoles, kind, guards, isEnforcing };
    return planHandler(this.file, { ...shared, method: access, asksForUser: user }, this.facts.roleNames);
  }

  #decoratorsOfClass(): readonly string[] {
    const { roles, opening } = this.#access;
    if (roles !== undefined) return [permissionsFor(this.file, roles, this.facts.roleNames)];
    if (opening === undefined) return [];
    return [`${this.file.need(opening === 'public' ? 'Public' : 'OptionalToken')}()`];
  }

  #write(target: Syntax, { decorators }: Access, names: readonly string[]): void {
    const { edits } = this.file;
    const [first, ...others] = decorators;
    if (first === undefined) return names.length === 0 ? undefined : this.#add(target, names);
    decorators.forEach((decorator) => edits.keepComments(decorator));
    for (const decorator of names.length === 0 ? decorators : others) {
      this.file.forget(decorator);
      edits.remove(decorator.start, decorator.end);
    }
    if (names.length === 0) return;
    const separator = edits.lineBreak + edits.indentAt(first.start);
    this.file.replace(first, names.map((name) => `@${name}`).join(separator));
  }

  #add(target: Syntax, names: readonly string[]): void {
    const { edits } = this.file;
    const last = target.decorators.at(-1);
    if (last === undefined) return;
    const rest = edits.text.slice(last.end, edits.lineEnd(last.end)).trim();
    const isAlone = rest === '' || rest.startsWith('//');
    for (const name of names) {
      if (isAlone) edits.insertLine(last.end, `@${name}`, 'after');
      else edits.insert(last.end, ` @${name}`);
    }
  }
}
