/** Route report: looks at every handler at boot; names those that nobody reaches, and stops where the guard could be passed by. */
import { Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { MetadataScanner, type DiscoveryService } from '@nestjs/core';
import { isAccessCheckBound } from './access-check.guard.js';
import { isNoted, notedMethods, WHOLE_CLASS } from './access-notes.js';
import { handlersOf, hostsOf, type Handler, type Host } from './handlers.discovery.js';
import { chainOf, routeAccess, type RouteAccess } from './route-access.js';

export class RouteReport implements OnApplicationBootstrap {
  readonly #logger = new Logger('RouteReport');

  /** Looks for open message handlers already here, since a microservice of a hybrid application may listen before any hook is called. */
  constructor(private readonly discovery: DiscoveryService) {
    for (const { handlers } of this.#hosts()) refuseOpenMessages(handlers);
  }

  /** Throws when a message handler is open, when decorators contradict each other, or stand where they are not enforced; what is closed only gets a warning, since it is safe. */
  onApplicationBootstrap(): void {
    const hosts = this.#hosts();
    const enforced = new Set(
      hosts.filter(({ handlers }) => handlers.some(isGuarded)).flatMap(({ host }) => chainOf(host.prototype)),
    );
    for (const { host, handlers } of hosts) {
      // Some that were not there yet, as where the pattern of a message comes out of a configuration.
      refuseOpenMessages(handlers);
      for (const handler of handlers) this.#report(handler);
      refuseUnenforced(host, handlers, enforced);
      if (host.isGateway) {
        this.#logger.warn(
          `${host.name} is a gateway, of which the guard sees the messages only: anybody can connect, runs handleConnection, and receives what it pushes`,
        );
      }
    }
  }

  /** The routes of the application, with what their decorators come to. Throws as `onApplicationBootstrap` for those that contradict. */
  routes(): ReportedRoute[] {
    return this.#hosts().flatMap(({ handlers }) =>
      handlers
        .filter(({ kind }) => kind === 'route')
        .map((handler) => ({ label: handler.label, ...accessOf(handler) })),
    );
  }

  /** Routes and messages are those of controllers, messages of gateways those of gateways: elsewhere Nest does not look. */
  #hosts(): HostWithHandlers[] {
    // A scanner keeps what it found: another one each time.
    const scanner = new MetadataScanner();
    return hostsOf(this.discovery).map((host) => ({
      host,
      handlers: handlersOf(host, scanner).filter(({ kind }) =>
        kind === 'route' || kind === 'message' ? host.isController : kind !== 'gateway-message' || host.isGateway,
      ),
    }));
  }

  #report(handler: Handler): void {
    const { kind, label } = handler;
    if (kind === 'reference') {
      throw new Error(`${label} is reached by _entities, and Nest runs no guard for it: it can't be closed`);
    }
    if (kind === 'field') {
      this.#logger.warn(
        `${label} has no guard of its own: it runs for the callers of its operation, and the guard admits none of them`,
      );
      return;
    }
    const access = accessOf(handler);
    if (kind !== 'route') {
      this.#logger.warn(`${label} is closed: the guard admits HTTP requests only`);
    } else if (access.opening === 'closed') {
      this.#logger.warn(`${label} is closed: no decorator opens it, every request gets 403`);
    }
  }
}

/** `label` is for people: class, method and how it is reached. */
export interface ReportedRoute extends RouteAccess {
  readonly label: string;
}

interface HostWithHandlers {
  readonly host: Host;
  readonly handlers: readonly Handler[];
}

/**
 * Throws when a message handler has no access decorator: Nest hands no global guard to a microservice of a hybrid application unless
 * it is told to, and does not tell.
 */
function refuseOpenMessages(handlers: readonly Handler[]): void {
  for (const { kind, label, host } of handlers) {
    const isMessage = kind === 'message' || kind === 'gateway-message';
    if (!isMessage || host.classes.every(isAccessCheckBound)) continue;
    throw new Error(
      `${label} has no access decorator, and neither has its class: it would run for everybody where Nest runs it without the global guard`,
    );
  }
}

/** Throws where the guard would find something else than what the decorators of the method say. */
function accessOf({ label, host: { prototype, instance }, method, function: found }: Handler): RouteAccess {
  const type: unknown = (instance ?? prototype).constructor;
  if (typeof type !== 'function' || type.prototype !== prototype) {
    const what = typeof type === 'function' ? `the class ${type.name}` : 'no class';
    throw new Error(`${label}: its "constructor" is ${what}, whose decorators would be taken for its own`);
  }
  const routed = (instance as Readonly<Record<string, object>> | undefined)?.[method] ?? found;
  const access = routeAccess(type, found);
  const fault =
    access.fault ?? (routed === found ? undefined : (routeAccess(type, routed).fault ?? 'it is another method'));
  if (fault !== undefined) throw new Error(`${label}: ${fault}`);
  return access;
}

/** Nest runs guards for it: not for the fields of what an operation gave. */
const isGuarded = ({ kind }: Handler): boolean => kind !== 'field';

/**
 * Throws for a decorator where no guard runs: its author believes that it is enforced. It is, on a controller that others
 * inject as a provider, or whose methods a provider inherits: nothing from outside reaches those.
 */
function refuseUnenforced(host: Host, handlers: readonly Handler[], enforced: ReadonlySet<object>): void {
  const guarded = new Set<unknown>(handlers.filter(isGuarded).map(({ method }) => method));
  const nothingEnforces = (what: string): Error =>
    new Error(`${what} has an access decorator that nothing enforces: no guard runs for it`);
  const isReached = host.isController || host.isGateway || handlers.length > 0;
  const isSilent = (prototype: object): boolean => !isReached && enforced.has(prototype);
  if (!host.isController && guarded.size === 0 && isNoted(host.prototype, WHOLE_CLASS) && !isSilent(host.prototype)) {
    throw nothingEnforces(host.name);
  }
  const chain = chainOf(host.prototype);
  for (const base of chain.filter((each) => !isSilent(each))) {
    for (const name of notedMethods(base)) {
      const isOverridden = base !== host.prototype && chain.find((owner) => Object.hasOwn(owner, name)) !== base;
      if (!guarded.has(name) && !isOverridden) throw nothingEnforces(`${host.name}.${String(name)}`);
    }
  }
}
