import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MigrationError } from './migration-error.js';
import type { FoundFile } from './source-files.js';
import { Syntax, type CompilerNode } from './syntax.js';

export type Parsed = { readonly root: Syntax } | { readonly fault: string };

/** The API of TypeScript 7 may read a path from the disk instead of the given text. */
export const UNREAD = 'TypeScript did not read this file';

export interface Compiler {
  readonly version: string;
  parse(files: readonly FoundFile[]): Parsed[];
}

/** Throws `MigrationError` if the project has no TypeScript, or an unsupported version. */
export async function compilerOf(folder: string): Promise<Compiler> {
  const inProject = createRequire(join(folder, 'package.json'));
  let manifest: string;
  try {
    manifest = inProject.resolve('typescript/package.json');
  } catch {
    throw new MigrationError(`${folder} has no package typescript: install the project's dependencies`);
  }
  const { version } = inProject(manifest) as { readonly version: string };
  const major = Number.parseInt(version, 10);
  if (major < 5) throw new MigrationError(`typescript ${version} is not supported: install 5.0 or newer`);
  if (major < 7) return new ClassicCompiler(version, inProject('typescript') as ClassicApi);
  try {
    const [sync, ast] = ['unstable/sync', 'unstable/ast'].map((part) => inProject.resolve(`typescript/${part}`));
    return new NativeCompiler(version, await load<NativeApi>(sync), await load<NativeSyntax>(ast), dirname(manifest));
  } catch (cause) {
    throw new MigrationError(`typescript ${version} has no API that this command knows: install typescript@6`, {
      cause,
    });
  }
}

const load = async <T>(path = ''): Promise<T> => (await import(pathToFileURL(path).href)) as T;

interface ClassicApi {
  readonly SyntaxKind: Readonly<Record<string, unknown>>;
  readonly ScriptTarget: { readonly Latest: number };
  createSourceFile(path: string, text: string, target: number, hasParents: boolean): CompilerNode;
  transpileModule(
    text: string,
    options: { readonly fileName: string; readonly reportDiagnostics: true },
  ): { readonly diagnostics?: readonly ClassicDiagnostic[] };
  flattenDiagnosticMessageText(message: unknown, lineBreak: string): string;
}

interface ClassicDiagnostic {
  readonly file?: unknown;
  readonly start?: number;
  readonly messageText: unknown;
}

class ClassicCompiler implements Compiler {
  constructor(
    readonly version: string,
    private readonly api: ClassicApi,
  ) {}

  parse(files: readonly FoundFile[]): Parsed[] {
    const kinds = kindNames(this.api.SyntaxKind);
    return files.map(({ path, text }) => {
      const { diagnostics = [] } = this.api.transpileModule(text, { fileName: path, reportDiagnostics: true });
      // A diagnostic without a file is about compiler options.
      const error = diagnostics.find(({ file }) => file !== undefined);
      if (error !== undefined) {
        return faultAt(text, error.start, this.api.flattenDiagnosticMessageText(error.messageText, ' '));
      }
      const root = this.api.createSourceFile(path, text, this.api.ScriptTarget.Latest, true);
      return { root: new Syntax(root, { root, text, kinds }) };
    });
  }
}

interface NativeApi {
  readonly API: new (options: {
    readonly cwd: string;
    readonly fs: { readFile(path: string): string | undefined };
  }) => {
    updateSnapshot(change: { readonly openFiles: readonly string[] }): {
      getDefaultProjectForFile(path: string): { readonly program: NativeProgram } | undefined;
    };
    close(): void;
  };
}

interface NativeProgram {
  getSourceFile(path: string): (CompilerNode & { readonly text: string }) | undefined;
  getSyntacticDiagnostics(path: string): readonly { readonly pos: number; readonly text: string }[];
}

interface NativeSyntax {
  readonly SyntaxKind: Readonly<Record<string, unknown>>;
}

class NativeCompiler implements Compiler {
  constructor(
    readonly version: string,
    private readonly native: NativeApi,
    private readonly syntax: NativeSyntax,
    private readonly folder: string,
  ) {}

  parse(files: readonly FoundFile[]): Parsed[] {
    const kinds = kindNames(this.syntax.SyntaxKind);
    const texts = new Map(files.map(({ path, text }) => [path.replaceAll('\\', '/'), text]));
    const api = new this.native.API({ cwd: this.folder, fs: { readFile: (path) => texts.get(path) } });
    try {
      const snapshot = api.updateSnapshot({ openFiles: files.map(({ path }) => path) });
      return files.map(({ path, text }) => {
        const program = snapshot.getDefaultProjectForFile(path)?.program;
        const root = program?.getSourceFile(path);
        if (program === undefined || root?.text !== text) return { fault: UNREAD };
        const [error] = program.getSyntacticDiagnostics(path);
        return error === undefined
          ? { root: new Syntax(root, { root, text, kinds }) }
          : faultAt(text, error.pos, error.text);
      });
    } finally {
      api.close();
    }
  }
}

const faultAt = (text: string, start = 0, message = ''): Parsed => ({
  fault: `line ${text.slice(0, start).split('\n').length}: ${message}`,
});

/** If several names of TypeScript's `SyntaxKind` share a number, only the first name is a kind of node. */
function kindNames(kinds: Readonly<Record<string, unknown>>): readonly string[] {
  const names: string[] = [];
  for (const [name, number] of Object.entries(kinds)) if (typeof number === 'number') names[number] ??= name;
  return names;
}
