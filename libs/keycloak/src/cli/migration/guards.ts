import type { MigratedFile } from './migrated-file.js';
import { callOf, propertiesOf, valueOf, type Syntax } from './syntax.js';

export type OldGuard = 'AuthGuard' | 'ResourceGuard' | 'RoleGuard';

const OLD_GUARDS: ReadonlySet<string> = new Set<OldGuard>(['AuthGuard', 'ResourceGuard', 'RoleGuard']);

const isOldGuard = (name: string | undefined): name is OldGuard => name !== undefined && OLD_GUARDS.has(name);

const guardOf = (file: MigratedFile, node: Syntax | undefined): OldGuard | undefined => {
  const name = file.oldName(node);
  return isOldGuard(name) ? name : undefined;
};

interface GuardProvider {
  readonly guard: OldGuard;
  readonly provider: Syntax;
}

function globalProviders(file: MigratedFile): GuardProvider[] {
  return providerLists(file).flatMap((list) =>
    list.fields('elements').flatMap((provider) => {
      if (provider.kind !== 'ObjectLiteralExpression') return [];
      const properties = propertiesOf(provider);
      if (file.nameIn('@nestjs/core', valueOf(properties.get('provide'))) !== 'APP_GUARD') return [];
      const guard = guardOf(file, valueOf(properties.get('useClass') ?? properties.get('useExisting')));
      return guard === undefined ? [] : [{ guard, provider }];
    }),
  );
}

function providerLists(file: MigratedFile): Syntax[] {
  return [...file.root.walk()].flatMap((node) => {
    if (node.kind !== 'Decorator') return [];
    const call = callOf(node);
    const options = call?.args[0];
    if (file.nameIn('@nestjs/common', call?.callee) !== 'Module' || options === undefined) return [];
    const providers = valueOf(propertiesOf(options).get('providers'));
    return providers?.kind === 'ArrayLiteralExpression' ? [providers] : [];
  });
}

export const globalGuards = (file: MigratedFile): readonly OldGuard[] =>
  file.isSpec ? [] : globalProviders(file).map(({ guard }) => guard);

export const guardsOn = (file: MigratedFile, target: Syntax): readonly OldGuard[] =>
  useGuardsOf(file, target).flatMap(({ args }) => args.flatMap((arg) => guardOf(file, arg) ?? []));

interface UseGuards {
  readonly decorator: Syntax;
  readonly args: readonly Syntax[];
}

function useGuardsOf(file: MigratedFile, target: Syntax): UseGuards[] {
  return target.decorators.flatMap((decorator) => {
    const call = callOf(decorator);
    const isUseGuards = file.nameIn('@nestjs/common', call?.callee) === 'UseGuards';
    return isUseGuards ? [{ decorator, args: call?.args ?? [] }] : [];
  });
}

export function migrateGuards(file: MigratedFile): void {
  const providers = new Set(globalProviders(file).map(({ provider }) => provider));
  for (const list of providerLists(file)) {
    const elements = list.fields('elements');
    const gone = elements.filter((element) => providers.has(element) || guardOf(file, element) !== undefined);
    if (gone.length === 0) continue;
    gone.forEach((element) => file.forget(element));
    file.edits.removeMembers(list, elements, new Set(gone));
  }
  for (const target of file.root.walk()) {
    for (const { decorator, args } of useGuardsOf(file, target)) {
      const kept = args.filter((arg) => guardOf(file, arg) === undefined);
      if (kept.length === args.length) continue;
      args.filter((arg) => !kept.includes(arg)).forEach((arg) => file.forget(arg));
      file.edits.keepComments(decorator);
      const [first, last] = [args[0], args.at(-1)];
      if (kept.length > 0 && first !== undefined && last !== undefined) {
        file.edits.replace(first.start, last.end, kept.map(({ text }) => text).join(', '));
      } else {
        file.forget(decorator);
        file.edits.remove(decorator.start, decorator.end);
      }
    }
  }
}
