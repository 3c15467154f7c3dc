import type { FoundFile } from './source-files.js';
import { Syntax } from './syntax.js';
import { TextEdits } from './text-edits.js';

export const OLD_PACKAGE = 'nest-keycloak-connect';
export const NEW_PACKAGE = 'nestjs-keycloak-s2s';
export const MARK = 'TODO(nestjs-keycloak-s2s):';

export interface Binding {
  readonly local: string;
  readonly imported: string;
  readonly from: string;
  readonly declaration: Syntax;
  readonly specifier: Syntax;
}

const PROTECTING = /^(?:KeycloakModule|Public|OptionalToken|Authenticated|Require\w+|AllowClients)$/;

export class MigratedFile {
  readonly edits: TextEdits;
  readonly bindings: ReadonlyMap<string, Binding>;
  readonly todos: { readonly line: number; readonly sentence: string }[] = [];
  readonly needs = new Map<string, Set<string>>();
  readonly #kept = new Set<Syntax>();
  readonly #visited = new Set<Syntax>();
  readonly #references = new Map<string, Syntax[]>();
  readonly #replaced = new Set<Syntax>();

  constructor(
    readonly source: FoundFile,
    readonly root: Syntax,
  ) {
    this.edits = new TextEdits(source.text);
    this.bindings = new Map(root.children.flatMap(bindingsOf).map((binding) => [binding.local, binding]));
    for (const node of root.walk()) {
      const name = node.kind === 'Identifier' ? (node.value ?? '') : '';
      if (this.bindings.has(name) && isReference(node)) this.#references.set(name, [...this.referencesTo(name), node]);
    }
  }

  get isSpec(): boolean {
    return /[.-](spec|test)[.][cm]?tsx?$/.test(this.source.path);
  }

  /** Both packages protect the file, unless an earlier run has changed it and left a mark. */
  get isObserving(): boolean {
    const all = [...this.bindings.values()];
    const isProtected = all.some(({ from, imported }) => from === NEW_PACKAGE && PROTECTING.test(imported));
    return isProtected && all.some(({ from }) => from === OLD_PACKAGE) && !this.source.text.includes(MARK);
  }

  referencesTo(local: string): readonly Syntax[] {
    return this.#references.get(local) ?? [];
  }

  leftReferencesTo(local: string): readonly Syntax[] {
    return this.referencesTo(local).filter((node) => !this.#replaced.has(node));
  }

  bindingOf(expression: Syntax | undefined): Binding | undefined {
    return expression?.kind === 'Identifier' ? this.bindings.get(expression.value ?? '') : undefined;
  }

  nameIn(from: string, expression: Syntax | undefined): string | undefined {
    const isMember = expression?.kind === 'PropertyAccessExpression' || expression?.kind === 'QualifiedName';
    const binding = this.bindingOf(
      isMember ? (expression.field('expression') ?? expression.field('left')) : expression,
    );
    if (binding?.from !== from) return undefined;
    if (binding.imported !== '*') return isMember ? undefined : binding.imported;
    return isMember ? (expression.field('name') ?? expression.field('right'))?.value : undefined;
  }

  oldName(expression: Syntax | undefined): string | undefined {
    return this.nameIn(OLD_PACKAGE, expression);
  }

  /** If no other reference to an import remains, the import is removed. */
  forget(node: Syntax): void {
    for (const inner of node.walk()) if (inner.kind === 'Identifier') this.#replaced.add(inner);
  }

  keep(node: Syntax): void {
    for (const inner of node.walk()) if (inner.kind === 'Identifier') this.#kept.add(inner);
  }

  isFirstVisit(node: Syntax): boolean {
    const isFirst = !this.#visited.has(node);
    this.#visited.add(node);
    return isFirst;
  }

  isKept(node: Syntax): boolean {
    return this.#kept.has(node);
  }

  replace(node: Syntax, text: string): void {
    this.forget(node);
    this.edits.replace(node.start, node.end, text);
  }

  need(name: string, from = NEW_PACKAGE): string {
    const known = [...this.bindings.values()].find((binding) => binding.from === from && binding.imported === name);
    if (known !== undefined) return known.local;
    const alias = this.#isTaken(name) ? `S2s${name}` : name;
    const specifier = alias === name ? name : `${name} as ${alias}`;
    this.needs.set(from, (this.needs.get(from) ?? new Set()).add(specifier));
    return alias;
  }

  decide(node: Syntax, sentence: string): void {
    const line = this.edits.lineStart(this.#firstOnItsLine(node).start);
    const above = /(?:^[ \t]*\/\/.*\n)*$/m.exec(this.source.text.slice(0, line))?.[0] ?? '';
    const number = this.source.text.slice(0, line).split('\n').length;
    if (this.todos.some((todo) => todo.line === number && todo.sentence === sentence)) return;
    this.todos.push({ line: number, sentence });
    if (!above.includes(`${MARK} ${sentence}`)) this.edits.insertLine(line, `// ${MARK} ${sentence}`, 'before');
  }

  #firstOnItsLine(node: Syntax): Syntax {
    const isFirst = ({ start, kind }: Syntax): boolean =>
      kind !== 'TemplateSpan' && this.source.text.slice(this.edits.lineStart(start), start).trim() === '';
    const isInTemplate = node.above(({ kind }) => kind === 'TemplateExpression' || kind.startsWith('Jsx'));
    if (isInTemplate !== undefined) return this.#firstOnItsLine(isInTemplate);
    return isFirst(node) || node.parent === undefined ? node : (node.above(isFirst) ?? node);
  }

  #isTaken(name: string): boolean {
    const binding = this.bindings.get(name);
    // An old decorator is replaced, so the old name stays only if other code uses it.
    if (binding?.from === OLD_PACKAGE) {
      return this.referencesTo(name).some((node) => this.#kept.has(node) || !isDecorator(node.parent));
    }
    if (binding !== undefined) return true;
    return [...this.root.walk()].some((node) => {
      return node.kind === 'Identifier' && node.value === name && isReference(node);
    });
  }
}

const isDecorator = (call: Syntax | undefined): boolean =>
  call?.kind === 'CallExpression' && call.parent?.kind === 'Decorator';

function bindingsOf(declaration: Syntax): Binding[] {
  const from = declaration.field('moduleSpecifier')?.value;
  const clause = declaration.kind === 'ImportDeclaration' ? declaration.field('importClause') : undefined;
  if (from === undefined || clause === undefined) return [];
  const named = clause.field('namedBindings');
  const specifiers = named?.kind === 'NamespaceImport' ? [named] : (named?.fields('elements') ?? []);
  return [...specifiers, ...(clause.field('name') === undefined ? [] : [clause])].map((specifier) => {
    const local = specifier.field('name')?.value ?? '';
    const other = { NamespaceImport: '*', ImportClause: 'default' }[specifier.kind];
    return { local, imported: other ?? specifier.field('propertyName')?.value ?? local, from, declaration, specifier };
  });
}

const NAMES: Readonly<Record<string, readonly string[]>> = {
  PropertyAccessExpression: ['name'],
  QualifiedName: ['right'],
  PropertyAssignment: ['name'],
  PropertySignature: ['name'],
  PropertyDeclaration: ['name'],
  MethodDeclaration: ['name'],
  MethodSignature: ['name'],
  EnumMember: ['name'],
  BindingElement: ['propertyName'],
  ImportSpecifier: ['name', 'propertyName'],
  NamespaceImport: ['name'],
  ImportClause: ['name'],
};

function isReference(node: Syntax): boolean {
  const { parent } = node;
  return parent !== undefined && !(NAMES[parent.kind] ?? []).some((name) => parent.field(name) === node);
}
