/** The JavaScript API of TypeScript 5 and 6 and the API of TypeScript 7 have these members in common. */
export interface CompilerNode {
  readonly kind: number;
  readonly pos: number;
  readonly end: number;
  readonly text?: unknown;
  getStart(file: CompilerNode): number;
  forEachChild(visit: (child: CompilerNode) => void): unknown;
}

export class Syntax {
  readonly kind: string;
  readonly start: number;
  readonly end: number;
  readonly children: readonly Syntax[];

  constructor(
    private readonly node: CompilerNode,
    private readonly file: { readonly root: CompilerNode; readonly text: string; readonly kinds: readonly string[] },
    readonly parent?: Syntax,
  ) {
    this.kind = file.kinds[node.kind] ?? 'Unknown';
    this.start = node.getStart(file.root);
    this.end = node.end;
    const children: Syntax[] = [];
    node.forEachChild((child) => void children.push(new Syntax(child, file, this)));
    this.children = children;
  }

  get text(): string {
    return this.file.text.slice(this.start, this.end);
  }

  get value(): string | undefined {
    return typeof this.node.text === 'string' ? this.node.text : undefined;
  }

  get isText(): boolean {
    return this.kind === 'StringLiteral' || this.kind === 'NoSubstitutionTemplateLiteral';
  }

  field(name: string): Syntax | undefined {
    return this.#childFor(Reflect.get(this.node, name));
  }

  fields(name: string): readonly Syntax[] {
    const list: unknown = Reflect.get(this.node, name);
    return list === undefined
      ? []
      : Array.from(list as Iterable<unknown>, (one) => this.#childFor(one)).filter(isGiven);
  }

  get decorators(): readonly Syntax[] {
    return this.children.filter(({ kind }) => kind === 'Decorator');
  }

  *walk(): Generator<Syntax> {
    yield this;
    for (const child of this.children) yield* child.walk();
  }

  above(test: (node: Syntax) => boolean): Syntax | undefined {
    let node = this.parent;
    while (node !== undefined && !test(node)) node = node.parent;
    return node;
  }

  #childFor(value: unknown): Syntax | undefined {
    if (typeof value !== 'object' || value === null) return undefined;
    const { kind, pos, end } = value as CompilerNode;
    return this.children.find(({ node }) => node.kind === kind && node.pos === pos && node.end === end);
  }
}

const isGiven = (node: Syntax | undefined): node is Syntax => node !== undefined;

export interface Call {
  readonly callee: Syntax;
  readonly args: readonly Syntax[];
}

export function callOf(node: Syntax): Call | undefined {
  const expression = node.kind === 'Decorator' ? node.field('expression') : node;
  const callee = expression?.kind === 'CallExpression' ? expression.field('expression') : undefined;
  return callee === undefined || expression === undefined
    ? undefined
    : { callee, args: expression.fields('arguments') };
}

export function propertiesOf(object: Syntax): ReadonlyMap<string, Syntax> {
  return new Map(object.fields('properties').map((property) => [property.field('name')?.value ?? '...', property]));
}

export function valueOf(property: Syntax | undefined): Syntax | undefined {
  if (property?.kind === 'ShorthandPropertyAssignment') return property.field('name');
  return property?.kind === 'PropertyAssignment' ? property.field('initializer') : undefined;
}

export function bare(node: Syntax): Syntax {
  const wraps = ['ParenthesizedExpression', 'AsExpression', 'SatisfiesExpression', 'NonNullExpression'];
  const inner = wraps.includes(node.kind) ? node.field('expression') : undefined;
  return inner === undefined ? node : bare(inner);
}
