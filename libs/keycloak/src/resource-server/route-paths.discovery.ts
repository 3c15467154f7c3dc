import { METHOD_METADATA, MODULE_PATH, PATH_METADATA, VERSION_METADATA } from '@nestjs/common/constants.js';
import type { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import { RoutePathFactory } from '@nestjs/core/router/route-path-factory.js';
import type { Handler } from './handlers.discovery.js';

/** Returns the path patterns with which Nest registers a route, with global prefix, version and module path. */
export function routePathsOf(
  { host: { classes, module }, function: method }: Handler,
  config: ApplicationConfig,
  { applicationId }: Pick<ModulesContainer, 'applicationId'>,
): readonly string[] {
  const type = classes.at(-1) ?? {};
  const versioningOptions = config.getVersioning();
  const versionOf = (target: object): unknown => Reflect.getMetadata(VERSION_METADATA, target);
  const modulePath: unknown = [MODULE_PATH + applicationId, MODULE_PATH]
    .map((key): unknown => Reflect.getMetadata(key, Object(module) as object))
    .find((path) => path !== undefined);
  const metadata = {
    ctrlPath: Reflect.getMetadata(PATH_METADATA, type) as unknown,
    methodPath: Reflect.getMetadata(PATH_METADATA, method) as unknown,
    globalPrefix: config.getGlobalPrefix(),
    modulePath,
    methodVersion: versionOf(method),
    ...(versioningOptions && {
      controllerVersion: versionOf(type) ?? versioningOptions.defaultVersion,
      versioningOptions,
    }),
  };
  const requestMethod = Reflect.getMetadata(METHOD_METADATA, method) as number;
  return new RoutePathFactory(config).create(metadata as Parameters<RoutePathFactory['create']>[0], requestMethod);
}
