import { createRequire, isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { globalGuards, type OldGuard } from './guards.js';
import { OLD_PACKAGE, type MigratedFile } from './migrated-file.js';
import { callOf, propertiesOf, valueOf, type Syntax } from './syntax.js';
import { roleNamesOf, type RoleNames } from './role-names.js';

export interface ProjectFacts {
  readonly roleNames: RoleNames;
  readonly hasResolvers: boolean;
  readonly hasSeveralApplications: boolean;
  readonly optionConstants: ReadonlySet<string>;
  readonly isEnforcing: boolean;
  isMigrated(file: MigratedFile): boolean;
  guardsFor(file: MigratedFile): ReadonlySet<OldGuard>;
  mayGrantAccess(file: MigratedFile, specifier: string): boolean;
}

export function projectFacts(
  files: readonly MigratedFile[],
  registering: readonly MigratedFile[],
  optionConstants: ReadonlySet<string>,
): ProjectFacts {
  const graph = new ImportGraph(files);
  const imports = files.flatMap((file) => [...file.bindings.values()]);
  const guards = new Map(files.map((file) => [file, globalGuards(file)]));
  const entries = files.filter((file) =>
    [...file.bindings.values()].some(({ from, imported }) => from === '@nestjs/core' && imported === 'NestFactory'),
  );
  return {
    roleNames: roleNamesOf(files),
    hasResolvers: imports.some(({ from, imported }) => from === '@nestjs/graphql' && imported === 'Resolver'),
    hasSeveralApplications: entries.length > 1,
    optionConstants,
    isEnforcing: files.some(enforces),
    isMigrated: (file) => {
      const own = entries.map((entry) => graph.reachableFrom(entry)).filter((reached) => reached.has(file));
      return own.length === 0 || own.some((reached) => registering.some((one) => reached.has(one)));
    },
    guardsFor: (file) => guardsIn(graph, guards, entries, file),
    mayGrantAccess: (file, specifier) => graph.mayGrantAccess(file, specifier),
  };
}

function enforces(file: MigratedFile): boolean {
  return [...file.root.walk()].some((node) => {
    if (node.kind === 'PropertyAccessExpression' && node.field('name')?.value === 'ENFORCING') return true;
    if (node.kind !== 'ObjectLiteralExpression') return false;
    const mode = propertiesOf(node).get('policyEnforcement');
    const value = valueOf(mode);
    return mode !== undefined && value?.field('name')?.value !== 'PERMISSIVE' && value?.value !== 'permissive';
  });
}

/** If several applications share a file, returns only the guards that every application registers. */
function guardsIn(
  graph: ImportGraph,
  guards: ReadonlyMap<MigratedFile, readonly OldGuard[]>,
  entries: readonly MigratedFile[],
  file: MigratedFile,
): ReadonlySet<OldGuard> {
  if (entries.length === 0) return new Set([...guards.values()].flat());
  const reached = entries.map((entry) => graph.reachableFrom(entry));
  const own = entries.length === 1 ? reached : reached.filter((set) => set.has(file));
  const found = own.map((set) => new Set([...set].flatMap((one) => guards.get(one) ?? [])));
  return found.reduce((all, some) => new Set([...all].filter((guard) => some.has(guard))), found[0] ?? new Set());
}

class ImportGraph {
  readonly #byPath: ReadonlyMap<string, MigratedFile>;
  readonly #reachable = new Map<MigratedFile, ReadonlySet<MigratedFile>>();

  constructor(files: readonly MigratedFile[]) {
    this.#byPath = new Map(files.map((file) => [stemOf(file.source.path), file]));
  }

  reachableFrom(file: MigratedFile): ReadonlySet<MigratedFile> {
    const known = this.#reachable.get(file);
    if (known !== undefined) return known;
    const found = new Set([file]);
    for (const one of found) for (const next of this.#importedBy(one)) found.add(next);
    this.#reachable.set(file, found);
    return found;
  }

  mayGrantAccess(file: MigratedFile, specifier: string): boolean {
    if (specifier.startsWith('@nestjs/')) return false;
    const target = this.#resolve(file, specifier);
    if (target === undefined) return !isOtherPackage(file, specifier);
    return [...this.reachableFrom(target)].some(
      (reached) =>
        /nest-keycloak-connect|SetMetadata|defineMetadata|createDecorator/.test(reached.source.text) ||
        this.#importsUnknown(reached),
    );
  }

  /** An imported file that the command does not read may contain a decorator of nest-keycloak-connect. */
  #importsUnknown(file: MigratedFile): boolean {
    return specifiersIn(file)
      .filter((specifier) => this.#resolve(file, specifier) === undefined)
      .some((specifier) => !specifier.startsWith('@nestjs/') && !isOtherPackage(file, specifier));
  }

  #importedBy(file: MigratedFile): MigratedFile[] {
    return specifiersIn(file).flatMap((specifier) => this.#resolve(file, specifier) ?? []);
  }

  /** Resolves relative paths, and paths from a root folder such as `src/…` or `@/…` if only one file fits. */
  #resolve(file: MigratedFile, specifier: string): MigratedFile | undefined {
    if (specifier.startsWith('.')) {
      const path = stemOf(join(dirname(file.source.path), specifier));
      return this.#byPath.get(path) ?? this.#byPath.get(join(path, 'index'));
    }
    const tails = [specifier, specifier.replace(/^[^/]*\//, '')].flatMap((tail) => [`/${tail}`, `/${tail}/index`]);
    const fitting = [...this.#byPath].filter(([path]) => tails.some((tail) => path.endsWith(stemOf(tail))));
    return fitting.length === 1 ? fitting[0]?.[1] : undefined;
  }
}

const specifiersIn = (file: MigratedFile): string[] =>
  [...file.root.walk()].flatMap((node) => specifierOf(node)?.value ?? []);

function specifierOf(node: Syntax): Syntax | undefined {
  if (node.kind === 'ExternalModuleReference') return node.field('expression');
  if (node.kind !== 'CallExpression') return node.field('moduleSpecifier');
  const callee = callOf(node)?.callee;
  return callee?.kind === 'ImportKeyword' || callee?.text === 'require' ? node.fields('arguments')[0] : undefined;
}

const stemOf = (path: string): string => path.replace(/[.][cm]?[jt]sx?$/, '');

function isOtherPackage(file: MigratedFile, specifier: string): boolean {
  if (isBuiltin(specifier) || specifier.endsWith('.json')) return true;
  if (specifier.startsWith('.')) return false;
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  try {
    const require = createRequire(file.source.path);
    const manifest = require(`${name}/package.json`) as Readonly<Record<string, object | undefined>>;
    return ![manifest['dependencies'], manifest['peerDependencies']].some((all) => OLD_PACKAGE in (all ?? {}));
  } catch {
    return false;
  }
}
