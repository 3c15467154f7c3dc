import { Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { MetadataScanner, type DiscoveryService } from '@nestjs/core';
import { describeAccess } from './access-description.js';
import { chainOf } from './class-chain.js';
import type { GatewayHandshakes } from './gateway-handshakes.discovery.js';
import {
  fieldGuards,
  handlersOf,
  hasGraphqlContextObject,
  hostsOf,
  type Handler,
  type HandlerKind,
  type Host,
} from './handlers.discovery.js';
import type { RequestAdapter } from './request.adapter.js';
import { classAccess, CLOSED, markDeclaringClasses, markHandler, type RouteAccess } from './route-access.js';
import { STOP_THE_START, type StartChecks } from './start-checks.js';
import {
  accessOf,
  refuseImpossible,
  refuseOpenMessages,
  refuseSharedContext,
  refuseTokenOfPublic,
  refuseTokenOfUnguarded,
  refuseUnansweredStream,
  refuseUnenforced,
  refuseUnknownIssuer,
  refuseUnverifiable,
} from './start-refusals.js';
import type { VerificationMethod } from './verification.js';

const ADAPTERS: Readonly<Partial<Record<HandlerKind, readonly [kind: string, adapter: string]>>> = {
  message: ['rpc', 'microservicesRequestAdapter()'],
  'gateway-message': ['ws', 'websocketsRequestAdapter()'],
  operation: ['graphql', 'graphqlRequestAdapter()'],
  field: ['graphql', 'graphqlRequestAdapter()'],
  reference: ['graphql', 'graphqlRequestAdapter()'],
};

export class RouteReport implements OnApplicationBootstrap {
  readonly #logger = new Logger('RouteReport');

  /**
   * Refuses unguarded message handlers in the constructor, because a hybrid application may listen before Nest calls
   * any hook. Marks all handlers before Nest's router reads them, so that a tracer copies the marks.
   */
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly handshakes: Pick<GatewayHandshakes, 'isGuarded' | 'mayListen'>,
    private readonly options: {
      readonly requestAdapters: readonly Pick<RequestAdapter, 'kind' | 'isOwn'>[];
      readonly issuers: readonly { readonly issuer: string; readonly mapPermissions: unknown }[];
      readonly verification: VerificationMethod;
      readonly jwt: unknown;
    },
    private readonly checks: StartChecks = STOP_THE_START,
  ) {
    for (const { host, handlers } of this.#hosts()) {
      this.#check(() => refuseOpenMessages(handlers));
      markDeclaringClasses(host.prototype);
      for (const handler of handlers) markHandler(host.prototype, handler.function);
    }
  }

  onApplicationBootstrap(): void {
    this.#check(() => refuseSharedContext(hasGraphqlContextObject(this.discovery)));
    const hosts = this.#hosts();
    const isGuarded = this.#isGuarded();
    const enforced = new Set(
      hosts.filter(({ handlers }) => handlers.some(isGuarded)).flatMap(({ host }) => chainOf(host.prototype)),
    );
    const lines: string[] = [];
    for (const { host, handlers } of hosts) {
      // A handler may get its message pattern from a configuration after the constructor ran.
      this.#check(() => refuseOpenMessages(handlers));
      if (host.isGateway) lines.push(this.checks.run(() => this.#connections(host), `${connectionsOf(host)}: closed`));
      for (const handler of handlers) {
        const opened = this.checks.run(() => this.#opened(handler, isGuarded(handler)), 'closed');
        lines.push(`${handler.label}: ${opened}`);
      }
      this.#check(() => refuseUnenforced(host, handlers.filter(isGuarded), handlers.length > 0, enforced));
    }
    if (lines.length > 0) this.#logger.log(`Access to each handler:\n${lines.map((line) => `  ${line}`).join('\n')}`);
  }

  guarded(): ReportedHandler[] {
    const isGuarded = this.#isGuarded();
    return this.#hosts().flatMap(({ host, handlers }) => [
      ...(host.isGateway
        ? [{ label: connectionsOf(host), ...this.checks.run(() => connectionAccess(host), CLOSED) }]
        : []),
      ...handlers.filter(isGuarded).map((handler) => ({
        label: handler.label,
        ...(handler.kind === 'route' ? { route: handler } : {}),
        ...this.#accessOf(handler),
      })),
    ]);
  }

  routes(): ReportedRoute[] {
    return this.#hosts().flatMap(({ host, handlers }) =>
      handlers
        .filter(({ kind }) => kind === 'route')
        .map((handler) => ({
          label: handler.label,
          classes: host.classes,
          handler: handler.function,
          ...this.#accessOf(handler),
        })),
    );
  }

  #check(check: () => void): void {
    this.checks.run(check, undefined);
  }

  #accessOf(handler: Handler): RouteAccess {
    return this.checks.run(() => accessOf(handler), CLOSED);
  }

  #hosts(): HostWithHandlers[] {
    // A scanner caches its results, so each call uses a new scanner.
    const scanner = new MetadataScanner();
    return hostsOf(this.discovery).map((host) => ({
      host,
      handlers: handlersOf(host, scanner).filter(({ kind }) =>
        kind === 'route' || kind === 'message' ? host.isController : kind !== 'gateway-message' || host.isGateway,
      ),
    }));
  }

  #isGuarded(): (handler: Handler) => boolean {
    const guardsFields = fieldGuards(this.discovery);
    return ({ kind, host }) => (kind !== 'field' && kind !== 'reference') || guardsFields(host);
  }

  #opened(handler: Handler, isGuarded: boolean): string {
    const { kind, label } = handler;
    if (!isGuarded && kind === 'reference') {
      throw new Error(`${label} can be called through _entities, but Nest runs no guard for it. ${ENHANCERS}`);
    }
    const access = accessOf(handler);
    if (!isGuarded) {
      if (access.opening !== 'closed' && access.opening !== 'public') {
        throw new Error(`${label} has an access decorator that no guard enforces. ${ENHANCERS}`);
      }
      refuseTokenOfUnguarded(handler, ENHANCERS);
      return 'same as its operation';
    }
    refuseTokenOfPublic(handler, access);
    refuseUnansweredStream(handler, access, this.options.requestAdapters);
    if (access.opening === 'closed') {
      const effect = this.checks.isEnforcing ? 'is' : 'would be';
      this.#logger.warn(`${label} is closed: no access decorator opens it, so every request ${effect} refused`);
    } else if (access.opening !== 'public') {
      const [context, adapter] = ADAPTERS[kind] ?? [];
      if (context !== undefined && !this.options.requestAdapters.some((each) => each.kind === context)) {
        this.#logger.warn(
          `${label} is closed: the guard can't find the token of its caller without an adapter, such as ${adapter}, in forRoot({ requestAdapters })`,
        );
      }
    }
    return this.#described(label, access);
  }

  /** Nest runs no guard for `handleConnection` or for messages that a gateway sends. */
  #connections(host: Host): string {
    const access = connectionAccess(host);
    if (access.opening !== 'public' && !this.handshakes.isGuarded(host)) {
      if (!this.handshakes.mayListen()) return `${connectionsOf(host)}: nobody, in an application without a server`;
      throw new Error(
        `The gateway ${host.name} accepts connections from anybody, whatever its decorators say. Pass its adapter through guardHandshakes() of nestjs-keycloak-s2s/websockets, or open it with @Public() on the class`,
      );
    }
    return `${connectionsOf(host)}: ${this.#described(host.name, access)}`;
  }

  #described(label: string, access: RouteAccess): string {
    const { issuers, jwt, verification } = this.options;
    if (issuers.every(({ mapPermissions }) => mapPermissions === undefined)) refuseImpossible(label, access);
    refuseUnverifiable(label, access, jwt);
    refuseUnknownIssuer(label, access, issuers);
    return describeAccess(access, verification);
  }
}

const connectionsOf = (host: Host): string => `${host.name} (connections)`;

function connectionAccess(host: Host): RouteAccess {
  const access = classAccess(host.prototype);
  if (access.opening !== 'closed') return access;
  throw new Error(
    `The gateway ${host.name} needs a decorator on its class that says who may connect: ${access.fault ?? '@Authenticated(), @RequirePermission() or, for everybody, @Public()'}`,
  );
}

const ENHANCERS = "GraphQLModule needs the option fieldResolverEnhancers: ['guards']";

export interface ReportedHandler extends RouteAccess {
  readonly label: string;
  /** Undefined outside of HTTP. */
  readonly route?: Handler;
}

export interface ReportedRoute extends RouteAccess {
  readonly label: string;
  readonly classes: readonly object[];
  readonly handler: object;
}

interface HostWithHandlers {
  readonly host: Host;
  readonly handlers: readonly Handler[];
}
