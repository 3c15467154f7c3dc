import { callOf, type Syntax } from './syntax.js';

const SECRETS = new Set(['secret', 'clientSecret', 'client-secret']);

const DECLARATIONS = new Set(['VariableDeclaration', 'PropertyDeclaration', 'EnumMember', 'Parameter']);

/**
 * Replaces literal client secrets, so that neither a terminal nor a log shows them. A secret may also be the value of a
 * constant, property, enum member or parameter of the same file.
 */
export function hideSecrets(text: string, root: Syntax): string {
  const nodes = [...root.walk()];
  const declared = nodes.filter(({ kind }) => DECLARATIONS.has(kind));
  const secrets = [...declared, ...nodes.filter(({ kind }) => kind === 'PropertyAssignment')]
    .filter((node) => SECRETS.has(nameOf(node)))
    .map((node) => node.field('initializer'));
  const names = new Set<string>();
  // Iterates over the names that are added meanwhile, because a constant may be the value of another constant.
  const values = [...secrets];
  for (const value of values) {
    for (const name of identifiersIn(value).filter((each) => !names.has(each))) {
      names.add(name);
      values.push(...declared.filter((node) => nameOf(node) === name).map((node) => node.field('initializer')));
    }
  }
  const literals = values.flatMap(literalsIn);
  return literals.reduce((shown, literal) => shown.replaceAll(literal, "'***'"), text);
}

const nameOf = (node: Syntax): string => node.field('name')?.value ?? '';

const identifiersIn = (value: Syntax | undefined): string[] =>
  [...(value?.walk() ?? [])].flatMap((node) => (node.kind === 'Identifier' ? (node.value ?? []) : []));

/** The first argument of `config.get('…', '…')` is a name, but the second argument may be a secret. */
function isName(node: Syntax): boolean {
  const { parent } = node;
  return parent?.kind === 'ElementAccessExpression' || (parent !== undefined && callOf(parent)?.args[0] === node);
}

const ENCODINGS: ReadonlySet<string> = new Set(['utf8', 'utf-8', 'base64', 'base64url', 'hex', 'ascii', 'latin1']);

function literalsIn(value: Syntax | undefined): string[] {
  return [...(value?.walk() ?? [])]
    .filter((node) => node.isText && !isName(node))
    .filter(({ value: text = '' }) => text !== '' && !ENCODINGS.has(text))
    .map(({ text }) => text);
}
