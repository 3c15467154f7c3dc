// npm run api:report compares each entry point's public types with the reports in libs/*/api/. The command fails if a
// report differs from the types. With `-- --write`, the command updates the reports.
import '../common/help.mjs';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { argumentsOf } from '../common/own-options.mjs';
import { paint } from '../common/processes.mjs';
import { publishedLibraries, TSC } from '../release/packed-library.mjs';

const printer = ts.createPrinter({ removeComments: true });

const { values: flags } = argumentsOf({ options: { write: { type: 'boolean' } } });
process.chdir(resolve(import.meta.dirname, '../..'));

/**
 * Removes private members, and sorts unions of literals, since their order varies.
 *
 * @type {ts.TransformerFactory<ts.Node>}
 */
const normalized = (context) => {
  /** @param {ts.Node} node @returns {ts.Node | undefined} */
  const visit = (node) => {
    const isPrivate =
      ts.canHaveModifiers(node) && node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword);
    const isHidden = ts.isPropertyDeclaration(node) && ts.isPrivateIdentifier(node.name);
    if (isHidden || isPrivate === true) return undefined;
    if (ts.isUnionTypeNode(node) && node.types.every(ts.isLiteralTypeNode)) {
      const types = node.types.toSorted((one, other) => (valueOf(one) < valueOf(other) ? -1 : 1));
      return context.factory.createUnionTypeNode(types);
    }
    return ts.visitEachChild(node, visit, context);
  };
  return (node) => visit(node) ?? node;
};

/** @param {ts.TypeNode} node */
const valueOf = (node) =>
  ts.isLiteralTypeNode(node) && ts.isLiteralExpression(node.literal) ? node.literal.text : String(node.kind);

for (const library of publishedLibraries()) {
  execFileSync(process.execPath, [TSC, '-b', join(library, 'tsconfig.lib.json')], { stdio: 'inherit' });
  const folder = join(library, 'api');
  const reports = reportsOf(library);
  if (flags.write) write(folder, reports);
  else compare(folder, reports);
}

/** @param {string} folder @param {Map<string, string>} reports */
function write(folder, reports) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const [file, text] of reports) writeFileSync(join(folder, file), text);
  console.log(`Wrote ${reports.size} reports to ${folder}`);
}

/** @param {string} folder @param {Map<string, string>} reports */
function compare(folder, reports) {
  const written = existsSync(folder) ? readdirSync(folder) : [];
  for (const file of new Set([...written, ...reports.keys()])) {
    const before = written.includes(file) ? readFileSync(join(folder, file), 'utf8') : '';
    const changed = linesThatDiffer(before, reports.get(file) ?? '');
    if (changed.length === 0) continue;
    process.exitCode = 1;
    console.error(paint(31, `${join(folder, file)} is out of date: npm run api:report -- --write`));
    for (const line of changed) console.error(`  ${line}`);
  }
}

/** @param {string} before @param {string} after */
function linesThatDiffer(before, after) {
  const [old, now] = [before.split('\n'), after.split('\n')];
  const [had, has] = [new Set(old), new Set(now)];
  return [
    ...old.filter((line) => !has.has(line)).map((line) => `- ${line}`),
    ...now.filter((line) => !had.has(line)).map((line) => `+ ${line}`),
  ];
}

/** @param {string} library @returns {Map<string, string>} by the name of the file */
function reportsOf(library) {
  /** @type {{ exports: Record<string, string | { types: string }> }} */
  const { exports } = JSON.parse(readFileSync(join(library, 'package.json'), 'utf8'));
  const entries = Object.entries(exports).flatMap(([entry, target]) =>
    typeof target === 'string' ? [] : [{ entry, types: resolve(library, target.types) }],
  );
  const program = ts.createProgram(
    entries.map(({ types }) => types),
    { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2023, skipLibCheck: true },
  );
  const nameOf = (/** @type {string} */ entry) => (entry === '.' ? 'index' : entry.slice('./'.length));
  return new Map(entries.map(({ entry, types }) => [`${nameOf(entry)}.txt`, reportOf(program, types)]));
}

/** @param {ts.Program} program @param {string} file */
function reportOf(program, file) {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  const module = source && checker.getSymbolAtLocation(source);
  if (module === undefined) throw new Error(`${file} exports nothing`);
  const printed = checker.getExportsOfModule(module).flatMap((exported) => {
    const isAlias = (exported.flags & ts.SymbolFlags.Alias) !== 0;
    const { declarations = [] } = isAlias ? checker.getAliasedSymbol(exported) : exported;
    return declarations.map((declaration) => ({ name: exported.name, text: textOf(declaration) }));
  });
  const sorted = printed.toSorted((one, other) => (one.name < other.name ? -1 : Number(one.name > other.name)));
  return `${sorted.map(({ text }) => text).join('\n\n')}\n`;
}

/** @param {ts.Declaration} declaration */
function textOf(declaration) {
  const node = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
  const [shown = node] = ts.transform(node, [normalized]).transformed;
  return printer.printNode(ts.EmitHint.Unspecified, shown, declaration.getSourceFile());
}
