import type { MigratedFile } from './migrated-file.js';
import { bare, propertiesOf, valueOf, type Syntax } from './syntax.js';

export function roleConstants(files: readonly MigratedFile[]): ReadonlyMap<string, string> {
  const constants = new Map<string, string>();
  const ambiguous = new Set<string>();
  for (const [name, value] of files.flatMap((file) => [...file.root.walk()].flatMap(membersOf))) {
    if (constants.has(name) && constants.get(name) !== value) ambiguous.add(name);
    constants.set(name, value);
  }
  for (const name of ambiguous) constants.delete(name);
  return constants;
}

function membersOf(node: Syntax): (readonly [name: string, value: string])[] {
  const owner = node.field('name')?.value;
  if (owner === undefined) return [];
  if (node.kind === 'EnumDeclaration') {
    return node.fields('members').flatMap((member) => entry(owner, member, member.field('initializer')));
  }
  const initializer = node.kind === 'VariableDeclaration' ? node.field('initializer') : undefined;
  const object = initializer === undefined ? undefined : bare(initializer);
  if (object?.kind !== 'ObjectLiteralExpression') return [];
  return [...propertiesOf(object).values()].flatMap((property) => entry(owner, property, valueOf(property)));
}

function entry(owner: string, member: Syntax, value: Syntax | undefined): (readonly [string, string])[] {
  return value?.isText === true ? [[`${owner}.${member.field('name')?.value}`, value.value ?? '']] : [];
}
