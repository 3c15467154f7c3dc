/** Route report: looks at every route once at boot; names the closed ones, and stops at a contradiction. */
import { Logger, RequestMethod, type OnApplicationBootstrap } from '@nestjs/common';
import { PATH_METADATA, METHOD_METADATA } from '@nestjs/common/constants.js';
import type { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { contradiction, routeAccess } from './route-access.js';

interface Route {
  readonly name: string;
  readonly controller: object;
  readonly handler: object;
}

export class RouteReport implements OnApplicationBootstrap {
  readonly #logger = new Logger('RouteReport');

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  /** Throws when a route's decorators contradict each other; a closed route only gets a warning, since it is safe. */
  onApplicationBootstrap(): void {
    for (const { name, controller, handler } of this.#routes()) {
      const access = routeAccess(controller, handler);
      const wrong = contradiction(access);
      if (wrong !== undefined) throw new Error(`${name}: ${wrong}`);
      if (access.opening === 'closed') {
        this.#logger.warn(`${name} is closed: no decorator opens it, every request gets 403`);
      }
    }
  }

  #routes(): Route[] {
    return this.discovery.getControllers().flatMap(({ metatype: controller, instance }) => {
      if (typeof controller !== 'function' || typeof instance !== 'object' || instance === null) return [];
      const prototype = Object.getPrototypeOf(instance) as Readonly<Record<string, unknown>>;
      return this.scanner.getAllMethodNames(prototype).flatMap((method) => {
        const handler = prototype[method];
        if (typeof handler !== 'function' || !Reflect.hasMetadata(PATH_METADATA, handler)) return [];
        const verb = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as number] ?? '';
        return [{ name: `${controller.name}.${method} (${verb})`, controller, handler }];
      });
    });
  }
}
