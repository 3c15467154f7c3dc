import { NEW_PACKAGE, OLD_PACKAGE, type Binding, type MigratedFile } from './migrated-file.js';
import type { Syntax } from './syntax.js';

const NEST_NAMES = new Set(['UseGuards', 'APP_GUARD']);

const TYPES = new Set(['KeycloakModuleOptions', 'KeycloakOptionsFactory']);

export function migrateImports(file: MigratedFile): void {
  const texts = [...file.needs].toSorted().map(([from, names]) => addToImport(file, from, names));
  const added = texts.filter((text) => text !== undefined);
  const declarations = new Set([...file.bindings.values()].map(({ declaration }) => declaration));
  let place: Syntax | undefined;
  for (const declaration of declarations) {
    const bindings = [...file.bindings.values()].filter((one) => one.declaration === declaration);
    const unused = bindings.filter((binding) => isUnused(file, binding));
    const isOld = declaration.field('moduleSpecifier')?.value === OLD_PACKAGE;
    if (isOld) place ??= declaration;
    if (unused.length === 0) continue;
    if (unused.length < bindings.length) {
      removeNames(file, declaration, unused);
      continue;
    }
    file.edits.keepComments(declaration);
    if (place === declaration) {
      place = undefined;
      replaceImport(file, declaration, added.splice(0));
    } else file.edits.remove(declaration.start, declaration.end);
  }
  addImports(file, place ?? [...declarations].at(-1), added);
}

function isUnused(file: MigratedFile, { local, from }: Binding): boolean {
  if (from !== OLD_PACKAGE && !(NEST_NAMES.has(local) && from.startsWith('@nestjs/'))) return false;
  return file.leftReferencesTo(local).length === 0 && (from === OLD_PACKAGE || file.referencesTo(local).length > 0);
}

function removeNames(file: MigratedFile, declaration: Syntax, unused: readonly Binding[]): void {
  const list = declaration.field('importClause')?.field('namedBindings');
  if (list?.kind !== 'NamedImports') return;
  file.edits.removeMembers(list, list.fields('elements'), new Set(unused.map(({ specifier }) => specifier)));
}

function replaceImport(file: MigratedFile, declaration: Syntax, texts: readonly string[]): void {
  if (texts.length === 0) file.edits.remove(declaration.start, declaration.end);
  else file.edits.replace(declaration.start, declaration.end, texts.join(file.edits.lineBreak));
}

function addImports(file: MigratedFile, after: Syntax | undefined, texts: readonly string[]): void {
  const { edits } = file;
  for (const text of texts) {
    if (after === undefined) edits.insert(0, text + edits.lineBreak);
    else edits.insert(edits.lineEnd(after.end), text + edits.lineBreak);
  }
}

function addToImport(file: MigratedFile, from: string, names: ReadonlySet<string>): string | undefined {
  const known = [...file.bindings.values()].find((binding) => {
    return binding.from === from && binding.specifier.kind === 'ImportSpecifier';
  });
  const list = known?.specifier.parent;
  const isType = known?.declaration.field('importClause')?.text.startsWith('type') === true;
  if (list === undefined || isType) return importText(file, from, names);
  const all = [...list.fields('elements').map(({ text }) => text), ...names];
  file.edits.keepComments(list);
  file.edits.replace(
    list.start,
    list.end,
    namesText(file, all, list.start - file.edits.lineStart(list.start) + from.length),
  );
  return undefined;
}

function importText(file: MigratedFile, from: string, names: ReadonlySet<string>): string {
  const { quote } = file.edits;
  const hasSemicolons = [...file.bindings.values()].every(({ declaration }) => declaration.text.endsWith(';'));
  const onlyTypes = from === NEW_PACKAGE && [...names].every((name) => TYPES.has(name));
  const clause = namesText(file, [...names].toSorted(), 'import  from ;'.length + from.length);
  return `import ${onlyTypes ? 'type ' : ''}${clause} from ${quote}${from}${quote}${hasSemicolons ? ';' : ''}`;
}

function namesText({ edits }: MigratedFile, names: readonly string[], around: number): string {
  const line = `{ ${names.join(', ')} }`;
  if (line.length + around + 2 <= edits.width) return line;
  const indent = /^import {\r?\n([ \t]+)/m.exec(edits.text)?.[1] ?? '  ';
  return ['{', ...names.map((name) => `${indent}${name},`), '}'].join(edits.lineBreak);
}
