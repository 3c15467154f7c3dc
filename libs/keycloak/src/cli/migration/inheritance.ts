import { accessOf } from './access.js';
import type { MigratedFile } from './migrated-file.js';
import type { ProjectFacts } from './project-facts.js';
import type { Syntax } from './syntax.js';

interface FoundClass {
  readonly file: MigratedFile;
  readonly node: Syntax;
  readonly names: readonly string[];
  readonly bases: readonly string[];
  readonly hasRoles: boolean;
}

/**
 * RoleGuard applied the roles of a derived class to inherited handlers, and the roles of a base class to the handlers
 * that a derived class adds.
 */
export class Inheritance {
  readonly #classes: readonly FoundClass[];
  readonly #basesUnderRoles: ReadonlySet<string>;

  constructor(
    files: readonly MigratedFile[],
    private readonly facts: ProjectFacts,
  ) {
    this.#classes = files.flatMap((file) =>
      [...file.root.walk()].filter(isClass).map((node) => {
        const { roles, unclear } = accessOf(file, node, facts);
        const hasRoles = roles !== undefined || unclear !== undefined;
        return { file, node, names: namesOf(node), bases: basesOf(file, node), hasRoles };
      }),
    );
    this.#basesUnderRoles = this.#basesOf(this.#classes.filter(({ hasRoles }) => hasRoles));
  }

  mayHaveOtherRoles(node: Syntax): boolean {
    const found = this.#classes.find((one) => one.node === node);
    if (found === undefined) return false;
    if (found.names.some((name) => this.#basesUnderRoles.has(name))) return true;
    if (found.hasRoles || found.bases.length === 0) return false;
    const bases = this.#basesOf([found]);
    const chain = [found, ...this.#classes.filter(({ names }) => names.some((name) => bases.has(name)))];
    return chain.some((one) => (one !== found && one.hasRoles) || this.#hasUnreadBase(one));
  }

  #hasUnreadBase({ file, bases }: FoundClass): boolean {
    return bases.some((base) => {
      const from = file.bindings.get(base)?.from;
      const imported = file.bindings.get(base)?.imported ?? base;
      const isRead = this.#classes.some(({ names }) => names.includes(imported));
      return from !== undefined && !isRead && this.facts.mayGrantAccess(file, from);
    });
  }

  #basesOf(classes: readonly FoundClass[]): ReadonlySet<string> {
    const bases = new Set(classes.flatMap((one) => one.bases));
    for (const base of bases) {
      const named = this.#classes.filter(({ names }) => names.includes(base));
      named.flatMap((one) => one.bases).forEach((name) => bases.add(name));
    }
    return bases;
  }
}

export const isClass = ({ kind }: Syntax): boolean => kind === 'ClassDeclaration' || kind === 'ClassExpression';

function namesOf(node: Syntax): string[] {
  const names = node.children.some(({ kind }) => kind === 'DefaultKeyword') ? ['default'] : [];
  for (let at: Syntax | undefined = node; at !== undefined; at = at.parent) {
    const name = at.field('name')?.value;
    if (name !== undefined) names.push(name);
  }
  return names;
}

function basesOf(file: MigratedFile, node: Syntax): string[] {
  const clauses = node.fields('heritageClauses').filter(({ text }) => text.startsWith('extends'));
  const names = clauses.flatMap((clause) => [...clause.walk()].filter(({ kind }) => kind === 'Identifier'));
  return names.flatMap(({ value = '' }) => [value, file.bindings.get(value)?.imported ?? []].flat());
}
