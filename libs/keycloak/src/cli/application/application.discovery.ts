import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DynamicModule, INestApplication, Type } from '@nestjs/common';
import { MODULE_METADATA } from '@nestjs/common/constants.js';
import { AbstractHttpAdapter, ModulesContainer, NestFactory } from '@nestjs/core';
import { error, type Finding } from '../../checkup/finding.js';
import type { ComposedKeycloak } from '../../module/compose-keycloak.js';
import { ConfigurationError } from '../../protocol/configuration-faults.js';
import { KEYCLOAK } from '../../module/keycloak.module-definition.js';
import { withoutSecrets } from '../../protocol/loggable-text.js';
import { RouteReport } from '../../resource-server/route-report.discovery.js';
import { UsageError } from '../usage-error.js';
import type { ApplicationSubject } from './application-subject.js';

type RootModule = Type | DynamicModule;

type ModuleSource = RootModule | (() => RootModule | Promise<RootModule>);

/**
 * Imports the module that `reference` names in the form `path#name`, relative to the working directory. Without
 * `#name`, the file must export a single module, or the root module as its default export.
 */
export async function importModule(reference: string): Promise<ModuleSource> {
  const at = reference.lastIndexOf('#');
  const path = at === -1 ? reference : reference.slice(0, at);
  const name = at === -1 ? undefined : reference.slice(at + 1);
  const url = pathToFileURL(resolve(path)).href;
  let exported: Readonly<Record<string, unknown>>;
  try {
    exported = (await import(url)) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw new UsageError(
      `${path} can't be imported (${cause instanceof Error ? cause.message : 'it throws'}). Give the compiled file of the root module, such as dist/app.module.js`,
      { cause },
    );
  }
  if (name !== undefined) {
    const found = exported[name];
    if (isModule(found)) return found;
    if (typeof found === 'function') return found as () => RootModule;
    throw new UsageError(`${path} exports no module or function with the name ${name}`);
  }
  // A CommonJS export also appears under `default`.
  const modules = [...new Set(Object.values(exported).filter(isModule))];
  const [only, another] = modules;
  if (only !== undefined && another === undefined) return only;
  if (isModule(exported['default'])) return exported['default'];
  throw new UsageError(
    only === undefined
      ? `${path} exports no module`
      : `${path} exports several modules: choose one with ${path}#<name>`,
  );
}

function isModule(value: unknown): value is RootModule {
  if (typeof value === 'function') return Object.values(MODULE_METADATA).some((key) => Reflect.hasMetadata(key, value));
  return typeof value === 'object' && value !== null && 'module' in value && typeof value.module === 'function';
}

/** Creates the application, but runs none of its lifecycle hooks and opens no port. */
export async function subjectOf(source: ModuleSource): Promise<ApplicationSubject | readonly Finding[]> {
  let app: INestApplication;
  try {
    const module = isModule(source) ? source : await (source as () => unknown)();
    if (!isModule(module)) return [noModuleReturned];
    app = await NestFactory.create(module, noServer(), { logger: false, abortOnError: false });
  } catch (failure) {
    return notMade(failure);
  }
  let keycloak: ComposedKeycloak;
  try {
    keycloak = app.get<ComposedKeycloak>(KEYCLOAK, { strict: false });
  } catch {
    return [notFound(app)];
  }
  try {
    const handlers = app.get(RouteReport, { strict: false }).guarded();
    const accepted = handlers.map((handler) => ({ ...handler, isClosed: handler.opening === 'closed' }));
    const { enforcement } = keycloak.status.read();
    return { keycloak, enforcement, handlers: accepted, notSeen: servicesPerRequest(app) };
  } catch (failure) {
    return [error('module', messageOf(failure), 'Correct the decorators of this handler.')];
  }
}

const noModuleReturned = error(
  'module',
  'The function does not return a module.',
  'Return the root module that the application starts with: a class or a dynamic module.',
);

function notFound(app: INestApplication): Finding {
  const modules = [...app.get(ModulesContainer).values()];
  if (modules.some(({ metatype }) => metatype?.name === 'KeycloakModule')) {
    return error(
      'module',
      'The application uses another copy of nestjs-keycloak-s2s than this command.',
      'Run the command in the folder of the application: npx nestjs-keycloak-s2s doctor.',
    );
  }
  return withoutKeycloak(
    'No module of the application imports KeycloakModule.forRoot, so its guard does not protect the routes.',
  );
}

function servicesPerRequest(app: INestApplication): readonly string[] {
  const providers = [...app.get(ModulesContainer).values()].flatMap((module) => [...module.providers.values()]);
  return providers
    .filter((provider) => !provider.isDependencyTreeStatic())
    .flatMap(({ token }) => /^nestjs-keycloak-s2s:service-(?:client|http):(.*)$/.exec(String(token))?.[1] ?? []);
}

function notMade(failure: unknown): Finding[] {
  if (failure instanceof ConfigurationError) {
    return failure.faults.map((fault) => error('settings', `${fault}.`, 'Correct this setting.'));
  }
  // The message of a module may contain any text, including tokens.
  const message = withoutSecrets(messageOf(failure), []);
  if (message.includes('nestjs-keycloak-s2s:')) {
    return [
      withoutKeycloak(
        'KeycloakModule.forFeature is imported without KeycloakModule.forRoot, or no service is registered under the injected name.',
        message,
      ),
    ];
  }
  return [
    error(
      'module',
      `Nest can't create the module: ${message}`,
      'Start the application, whose log says more. The command needs the environment variables that the application demands at its start. Example values suffice for realm plan.',
    ),
  ];
}

const withoutKeycloak = (message: string, detail = ''): Finding =>
  error(
    'module',
    detail === '' ? message : `${message} Nest says: ${detail}`,
    'Import KeycloakModule.forRoot in the root module, and each service in KeycloakModule.forFeature.',
  );

const messageOf = (failure: unknown): string =>
  String(failure instanceof Error ? failure.message : failure).split('\n', 1)[0] ?? '';

/** Returns an HTTP adapter that opens no port and needs no platform package. */
function noServer(): AbstractHttpAdapter {
  return new Proxy(Object.create(AbstractHttpAdapter.prototype) as AbstractHttpAdapter, {
    get: (target, name) => {
      if (isOfItself(name)) return Reflect.get(target, name) as unknown;
      return name === 'getType' ? () => 'none' : () => anything;
    },
  });
}

const anything: unknown = new Proxy(() => undefined, {
  get: (target, name) => (isOfItself(name) ? (Reflect.get(target, name) as unknown) : anything),
  apply: () => anything,
  construct: () => anything as object,
});

/** The property `then` is included, because the proxy must not look like a promise. */
const isOfItself = (name: string | symbol): boolean =>
  typeof name === 'symbol' || name === 'then' || name === 'constructor' || name === 'prototype';
