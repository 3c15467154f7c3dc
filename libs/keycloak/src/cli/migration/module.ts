import type { MigratedFile } from './migrated-file.js';
import { migrateOptions } from './options.js';
import type { ProjectFacts } from './project-facts.js';
import { bare, callOf, propertiesOf, valueOf, type Syntax } from './syntax.js';

interface Registration {
  readonly call: Syntax;
  readonly callee: Syntax;
  readonly isAsync: boolean;
}

export function registrationsIn(file: MigratedFile): Registration[] {
  return [...file.root.walk()].flatMap((call) => {
    const callee = call.kind === 'CallExpression' ? callOf(call)?.callee : undefined;
    const method = callee?.field('name')?.value ?? '';
    const isOld = file.oldName(callee?.field('expression')) === 'KeycloakConnectModule';
    if (callee === undefined || !isOld || !['register', 'registerAsync'].includes(method)) return [];
    return [{ call, callee, isAsync: method === 'registerAsync' }];
  });
}

export function migrateModule(file: MigratedFile, facts: ProjectFacts, isFirst: boolean): void {
  const registrations = registrationsIn(file);
  registrations.forEach(({ call, callee, isAsync }, at) => {
    file.replace(callee, `${file.need('KeycloakModule')}.${isAsync ? 'forRootAsync' : 'forRoot'}`);
    if (!isFirst || at > 0) {
      file.decide(call, 'keep one KeycloakModule.forRoot in the root module, because a second one stops the start.');
    }
    const [options] = callOf(call)?.args ?? [];
    if (isAsync) migrateAsync(file, call, options, facts);
    else migrateRegistration(file, call, options, facts);
  });
  removeBareModule(file);
  migrateFactories(file, facts);
}

function migrateRegistration(file: MigratedFile, call: Syntax, options: Syntax | undefined, facts: ProjectFacts): void {
  const object = options === undefined ? undefined : objectOf(file, options);
  if (object !== undefined) return migrateOptions(file, object, facts);
  if (facts.optionConstants.has(file.bindingOf(options)?.imported ?? '')) return undefined;
  // KeycloakModule refuses the old options at the start, so no route opens.
  file.decide(call, 'give the options of KeycloakModule.forRoot in place of these.');
}

function migrateAsync(file: MigratedFile, call: Syntax, options: Syntax | undefined, facts: ProjectFacts): void {
  if (options?.kind !== 'ObjectLiteralExpression') {
    return file.decide(call, 'rename the factory of the options to createKeycloakOptions, and change its options.');
  }
  const factory = propertiesOf(options).get('useFactory');
  if (factory === undefined) return;
  const objects = returnedObjects(file, valueOf(factory) ?? factory);
  if (objects.length !== 1) {
    file.decide(factory, 'change the options that this factory returns to those of KeycloakModule.forRoot.');
  }
  objects.forEach((object) => migrateOptions(file, object, facts));
}

function objectOf(file: MigratedFile, node: Syntax): Syntax | undefined {
  const inner = bare(node);
  if (inner.kind === 'ObjectLiteralExpression') return inner;
  if (inner.kind !== 'Identifier') return undefined;
  const constants = [...file.root.walk()].filter(({ kind }) => kind === 'VariableDeclaration');
  const value = constants.find((one) => one.field('name')?.value === inner.value)?.field('initializer');
  return value?.kind === 'ObjectLiteralExpression' ? value : undefined;
}

function returnedObjects(file: MigratedFile, factory: Syntax): Syntax[] {
  const body = factory.field('body');
  if (body === undefined) return [];
  if (body.kind !== 'Block') return [objectOf(file, body)].filter((object) => object !== undefined);
  const returns = [...body.walk()].filter(
    (node) => node.kind === 'ReturnStatement' && node.above(({ kind }) => /Function|Method/.test(kind)) === factory,
  );
  return returns.flatMap((statement) => {
    const value = statement.field('expression');
    return (value === undefined ? undefined : objectOf(file, value)) ?? [];
  });
}

/** `KeycloakModule` is global, so other modules neither import nor export it. */
function removeBareModule(file: MigratedFile): void {
  for (const list of file.root.walk()) {
    if (list.kind !== 'ArrayLiteralExpression') continue;
    const elements = list.fields('elements');
    const gone = elements.filter((element) => file.oldName(element) === 'KeycloakConnectModule');
    if (gone.length === 0) continue;
    gone.forEach((element) => file.forget(element));
    file.edits.removeMembers(list, elements, new Set(gone));
  }
}

const TYPES: Readonly<Record<string, string>> = {
  KeycloakConnectOptions: 'KeycloakModuleOptions',
  KeycloakConnectConfig: 'KeycloakModuleOptions',
  KeycloakConnectOptionsFactory: 'KeycloakOptionsFactory',
};

function optionConstantOf(file: MigratedFile, node: Syntax): Syntax | undefined {
  const type = node.kind === 'VariableDeclaration' ? node.field('type')?.field('typeName') : undefined;
  if (type === undefined || TYPES[file.oldName(type) ?? ''] !== 'KeycloakModuleOptions') return undefined;
  const value = node.field('initializer');
  return value === undefined ? undefined : [bare(value)].find(({ kind }) => kind === 'ObjectLiteralExpression');
}

/** Returns the names of constants with options that another file may register. */
export const optionConstantsIn = (file: MigratedFile): string[] =>
  [...file.root.walk()].flatMap((node) =>
    optionConstantOf(file, node) === undefined ? [] : [node.field('name')?.value ?? ''],
  );

function migrateFactories(file: MigratedFile, facts: ProjectFacts): void {
  for (const node of file.root.walk()) {
    const name = node.field('name');
    if (node.kind === 'MethodDeclaration' && name?.value === 'createKeycloakConnectOptions') {
      file.replace(name, 'createKeycloakOptions');
      const objects = returnedObjects(file, node);
      if (objects.length === 0) {
        file.decide(node, 'change the options that this method returns to those of KeycloakModule.forRoot.');
      }
      objects.forEach((object) => migrateOptions(file, object, facts));
    }
    const constant = optionConstantOf(file, node);
    if (constant !== undefined) migrateOptions(file, constant, facts);
    const type = node.field(node.kind === 'ExpressionWithTypeArguments' ? 'expression' : 'typeName');
    const successor = type === undefined ? undefined : TYPES[file.oldName(type) ?? ''];
    if (type !== undefined && successor !== undefined) file.replace(type, file.need(successor));
  }
}
