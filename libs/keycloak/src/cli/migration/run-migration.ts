import { writeFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { migrateCallers } from './caller.js';
import { compilerOf, UNREAD, type Compiler } from './compiler.js';
import { migrateDecorators } from './decorators.js';
import { migrateGuards } from './guards.js';
import { migrateImports } from './imports.js';
import { Inheritance } from './inheritance.js';
import { markLeftovers } from './leftovers.js';
import { MARK, MigratedFile, OLD_PACKAGE } from './migrated-file.js';
import { MigrationError } from './migration-error.js';
import { migrateModule, optionConstantsIn, registrationsIn } from './module.js';
import { projectFacts } from './project-facts.js';
import { hideSecrets } from './secrets.js';
import { findSources, usesOldPackage, type FoundFile, type UnreadFile } from './source-files.js';
import { unifiedDiff } from './unified-diff.js';

export const MIGRATION = 'migrate-from-nest-keycloak-connect';

export const MIGRATION_USAGE = `Usage: nestjs-keycloak-s2s ${MIGRATION} [--write] PATH…

Changes imports, modules and decorators of nest-keycloak-connect in the TypeScript files below each PATH. Where a
person must decide, it leaves the route closed and writes a comment: // ${MARK} …
Name all folders of an application at once. It uses the typescript of the project, 5.0 or newer.

  --write   writes the files; without it, the command prints the changes as a unified diff without client secrets
  --help    prints this

Exit codes: 0 nothing is left to decide, 1 a person must decide or change a file that was left alone, 3 it could
not run.
`;

const BOTH = `it uses ${OLD_PACKAGE} and nestjs-keycloak-s2s, as while observing. Remove ${OLD_PACKAGE} by hand`;

const [DONE, UNDECIDED, COULD_NOT_RUN] = [0, 1, 3];

export interface MigrationSurroundings {
  readonly print: (text: string) => void;
  readonly printError: (text: string) => void;
  readonly folder: string;
}

export async function runMigration(args: readonly string[], surroundings: MigrationSurroundings): Promise<number> {
  try {
    const { values, positionals } = flagsOf(args);
    if (values.help === true) {
      surroundings.print(MIGRATION_USAGE);
      return DONE;
    }
    if (positionals.length === 0) throw new MigrationError(`no PATH is given\n\n${MIGRATION_USAGE}`);
    const paths = positionals.map((path) => resolve(surroundings.folder, path));
    return await migrate(paths, values.write === true, surroundings);
  } catch (failure) {
    const text = failure instanceof MigrationError ? failure.message : String((failure as Error).stack);
    surroundings.printError(`${MIGRATION}: ${text}\n`);
    return COULD_NOT_RUN;
  }
}

function flagsOf(args: readonly string[]) {
  const options = { write: { type: 'boolean' }, help: { type: 'boolean' } } as const;
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: true });
  } catch (failure) {
    throw new MigrationError(`${(failure as Error).message}\n\n${MIGRATION_USAGE}`);
  }
}

interface Result {
  readonly file: MigratedFile;
  readonly after: string;
  readonly decisions: readonly string[];
}

async function migrate(
  paths: readonly string[],
  mayWrite: boolean,
  surroundings: MigrationSurroundings,
): Promise<number> {
  const { print, printError, folder } = surroundings;
  const { files, unread } = findSources(paths);
  const compiler = await compilerOf(paths[0] ?? folder);
  const parsed = compiler.parse(files);
  const nameOf = (path: string): string => relative(folder, path).replaceAll('\\', '/');
  const migrated: MigratedFile[] = [];
  const unparsed: (FoundFile & UnreadFile)[] = [];
  const observing: MigratedFile[] = [];
  files.forEach((source, at) => {
    const result = parsed[at];
    if (result === undefined || !('root' in result)) {
      unparsed.push({ ...source, fault: result?.fault ?? '', mayUseOldPackage: true });
      return;
    }
    const file = new MigratedFile(source, result.root);
    (file.isObserving ? observing : migrated).push(file);
  });
  const usingBoth = observing.map(({ source: { path } }) => ({ path, fault: BOTH, mayUseOldPackage: true }));
  const left = [...unread, ...usingBoth, ...unparsed];
  const faults = unparsed.filter(({ text }) => usesOldPackage(text));
  if (faults.length > 0) {
    const lines = faults.map(({ path, fault }) => `\n  ${nameOf(path)}: ${fault}`);
    const text = `first mend these files, which use ${OLD_PACKAGE}, but do not parse:${lines.join('')}`;
    if (mayWrite || !migrated.some(isRegistering)) throw new MigrationError(text);
    printError(`${MIGRATION}: ${text}\n`);
  }
  const results = resultsOf(migrated, observing.find(isRegistering));
  const changed = results.filter(({ file, after }) => after !== file.source.text);
  if (changed.length > 0) refuseBroken(compiler, changed, nameOf);
  for (const { file, after } of changed) {
    const { path, text, hasMark } = file.source;
    if (mayWrite) write(path, (hasMark ? '\uFEFF' : '') + after);
    else print(hideSecrets(unifiedDiff(nameOf(path), text, after), file.root));
  }
  const decisions = results.flatMap(({ file, decisions: of }) => of.map((one) => `${nameOf(file.source.path)}${one}`));
  print(
    summary(
      changed.length,
      files.length,
      decisions,
      left.map(({ path, fault }) => `${nameOf(path)}: ${fault}`),
      mayWrite,
    ),
  );
  return decisions.length === 0 && !left.some(({ mayUseOldPackage }) => mayUseOldPackage) ? DONE : UNDECIDED;
}

const isRegistering = (file: MigratedFile): boolean => !file.isSpec && registrationsIn(file).length > 0;

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (cause) {
    throw new MigrationError(`${path} cannot be written`, { cause });
  }
}

/** An edit may break code of a form that the edit does not expect. */
function refuseBroken(compiler: Compiler, changed: readonly Result[], nameOf: (path: string) => string): void {
  const parsed = compiler.parse(changed.map(({ file, after }) => ({ ...file.source, text: after })));
  const lines = changed.flatMap(({ file }, at) => {
    const result = parsed[at];
    const isBroken = result !== undefined && 'fault' in result && result.fault !== UNREAD;
    return isBroken ? [`\n  ${nameOf(file.source.path)}: ${result.fault}`] : [];
  });
  if (lines.length === 0) return;
  throw new MigrationError(`no file was changed, because the changes would break the syntax of:${lines.join('')}`);
}

/** If no file registers the module, an earlier run has changed the files, or the root module is missing. */
function resultsOf(files: readonly MigratedFile[], observingRoot: MigratedFile | undefined): Result[] {
  const registering = files.filter(isRegistering);
  if (registering.length === 0) {
    const unmarked = files.find((file) => usesOldPackage(file.source.text) && !file.source.text.includes(MARK));
    if (unmarked === undefined) return files.map(unchanged);
    if (observingRoot !== undefined) {
      throw new MigrationError(
        `${observingRoot.source.path} registers KeycloakConnectModule, but was left alone: ${BOTH} from all files`,
      );
    }
    throw new MigrationError(
      `${unmarked.source.path} uses ${OLD_PACKAGE}, but no file calls KeycloakConnectModule.register or registerAsync: also name the folder of the root module`,
    );
  }
  const facts = projectFacts(files, registering, new Set(files.flatMap(optionConstantsIn)));
  const inheritance = new Inheritance(files, facts);
  return files.map((file) => {
    const isOther = file.isSpec || !facts.isMigrated(file);
    if (isOther && !usesOldPackage(file.source.text)) return unchanged(file);
    const isSecond = registering.indexOf(file) > 0 && !facts.hasSeveralApplications;
    migrateModule(file, facts, !isSecond);
    const optional = migrateDecorators(file, facts, inheritance);
    migrateGuards(file);
    migrateCallers(file, (method) => optional.has(method));
    markLeftovers(file, facts);
    migrateImports(file);
    const after = file.edits.apply();
    return { file, after, decisions: marksIn(after) };
  });
}

const unchanged = (file: MigratedFile): Result => ({
  file,
  after: file.source.text,
  decisions: marksIn(file.source.text),
});

const marksIn = (text: string): string[] =>
  text.split('\n').flatMap((line, at) => {
    const found = line.indexOf(`// ${MARK}`);
    return found === -1 ? [] : [`:${at + 1}: ${line.slice(found + MARK.length + 4).trim()}`];
  });

function summary(
  changed: number,
  all: number,
  decisions: readonly string[],
  left: readonly string[],
  isWritten: boolean,
): string {
  const verb = isWritten ? 'changed' : 'would change';
  return [
    `${MIGRATION}: ${verb} ${changed} of ${all} files.`,
    ...(decisions.length === 0
      ? []
      : [
          `Decide in ${decisions.length === 1 ? '1 place' : `${decisions.length} places`}:`,
          ...decisions.map((one) => `  ${one}`),
        ]),
    ...(left.length === 0 ? [] : ['Left alone:', ...left.map((one) => `  ${one}`)]),
    ...(isWritten || changed === 0 ? [] : ['Add --write to write the files.']),
    '',
  ].join('\n');
}
