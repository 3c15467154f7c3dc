import { RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import type { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { nameOfClass } from './class-chain.js';

export type HandlerKind = 'route' | 'message' | 'gateway-message' | 'operation' | 'field' | 'reference';

export interface Host {
  readonly name: string;
  readonly isController: boolean;
  readonly isGateway: boolean;
  readonly prototype: object;
  /** The declared class, and the class with which a decorator has replaced the declared class, if any. */
  readonly classes: readonly object[];
  readonly instance: object | undefined;
  readonly module: unknown;
}

export interface Handler {
  readonly kind: HandlerKind;
  readonly label: string;
  readonly host: Host;
  readonly method: string;
  readonly function: object;
}

/** These metadata keys are copies, because their Nest packages are not dependencies of this library. */
const PATTERN_HANDLER = 'microservices:handler_type';
const GATEWAY_MESSAGE = 'websockets:message_mapping';
const GATEWAY = 'websockets:is_gateway';
const GATEWAY_OPTIONS = 'websockets:gateway_options';
const GATEWAY_PORT = 'port';
const RESOLVER_TYPE = 'graphql:resolver_type';
const FIELD_RESOLVER = 'graphql:resolve_property';
const REFERENCE_RESOLVER = 'graphql:resolve_reference';
const GRAPHQL_OPTIONS = 'GqlModuleOptions';
const OPERATIONS: readonly unknown[] = ['Query', 'Mutation', 'Subscription'];

/**
 * Returns a function that says whether every `GraphQLModule` that includes a resolver class enables guards for field
 * and reference resolvers.
 */
export function fieldGuards(discovery: DiscoveryService): (host: Host) => boolean {
  const all = discovery
    .getProviders()
    .filter(({ token }) => token === GRAPHQL_OPTIONS)
    .map(({ instance }) => Object(instance) as GraphqlOptions);
  return ({ module }) => {
    const ofHost = all.filter(({ include = [] }) => include.length === 0 || include.includes(module));
    return (
      ofHost.length > 0 && ofHost.every(({ fieldResolverEnhancers = [] }) => fieldResolverEnhancers.includes('guards'))
    );
  };
}

/** If `context` is an object, some drivers share this object among all operations. */
export function hasGraphqlContextObject(discovery: DiscoveryService): boolean {
  return discovery
    .getProviders()
    .filter(({ token }) => token === GRAPHQL_OPTIONS)
    .some(({ instance }) => typeof (Object(instance) as GraphqlOptions).context === 'object');
}

interface GraphqlOptions {
  readonly context?: unknown;
  readonly fieldResolverEnhancers?: readonly string[];
  /** An empty or absent list includes all modules. */
  readonly include?: readonly unknown[];
}

export function hostsOf(discovery: DiscoveryService): Host[] {
  const controllers = discovery.getControllers().flatMap((wrapper) => hostOf(wrapper, true));
  return [...controllers, ...discovery.getProviders().flatMap((wrapper) => hostOf(wrapper, false))];
}

function hostOf({ metatype, instance, host }: InstanceWrapper<unknown>, isController: boolean): Host[] {
  const made = typeof instance === 'object' && instance !== null ? instance : undefined;
  // A factory provider has the factory as its metatype.
  const prototype: unknown = made === undefined ? prototypeOf(metatype) : Object.getPrototypeOf(made);
  if (typeof prototype !== 'object' || prototype === null) return [];
  const declared: unknown = prototype.constructor;
  const classes = [declared, prototypeOf(metatype) === prototype ? metatype : undefined].filter(isFunction);
  const [type] = classes;
  if (type === undefined) return [];
  const isGateway = classes.some((each) => says(GATEWAY, each));
  return [
    {
      name: nameOfClass(prototype),
      isController,
      isGateway,
      prototype,
      classes,
      instance: made,
      module: host?.metatype,
    },
  ];
}

export function gatewayPlaceOf({ classes }: Host): { port: number; path: unknown; namespace: unknown } {
  const [type = Object] = classes.filter((each) => says(GATEWAY, each));
  const { path, namespace } = Object(Reflect.getMetadata(GATEWAY_OPTIONS, type)) as Readonly<Record<string, unknown>>;
  return { port: (Reflect.getMetadata(GATEWAY_PORT, type) as number | undefined) ?? 0, path, namespace };
}

const isFunction = (value: unknown): value is Type => typeof value === 'function';

const prototypeOf = (value: unknown): unknown => (typeof value === 'function' ? value.prototype : undefined);

const says = (key: string, target: object): boolean => Reflect.getMetadata(key, target) !== undefined;

export function handlersOf(host: Host, scanner: MetadataScanner): Handler[] {
  const prototype = host.prototype as Readonly<Record<string, unknown>>;
  // @Resolver('Query') makes every method of the class an operation.
  const typeOfClass = host.classes.map((each): unknown => Reflect.getMetadata(RESOLVER_TYPE, each)).find(Boolean);
  return scanner.getAllMethodNames(prototype).flatMap((method) => {
    const found = prototype[method];
    if (typeof found !== 'function') return [];
    const label = (how: string): string => `${host.name}.${method} (${how})`;
    return kindsOf(found, method, typeOfClass).map(([kind, how]) => ({
      kind,
      label: label(how),
      host,
      method,
      function: found,
    }));
  });
}

function kindsOf(method: object, name: string, typeOfClass: unknown): (readonly [HandlerKind, string])[] {
  // Most methods have no metadata, and each read of metadata is slow.
  if (typeOfClass === undefined && Reflect.getMetadataKeys(method).length === 0) return [];
  const kinds: (readonly [HandlerKind, string])[] = [];
  if (says(PATH_METADATA, method)) {
    kinds.push(['route', RequestMethod[Reflect.getMetadata(METHOD_METADATA, method) as number] ?? '']);
  }
  if (says(PATTERN_HANDLER, method)) kinds.push(['message', 'message handler']);
  if (says(GATEWAY_MESSAGE, method)) kinds.push(['gateway-message', 'message handler of a gateway']);
  const type: unknown = Reflect.getMetadata(RESOLVER_TYPE, method) || typeOfClass;
  if (OPERATIONS.includes(type)) kinds.push(['operation', `GraphQL ${String(type).toLowerCase()}`]);
  else if (says(REFERENCE_RESOLVER, method)) kinds.push(['reference', 'GraphQL reference resolver']);
  // Nest runs no guard for `__resolveType`, because this method only returns a type name.
  else if (says(FIELD_RESOLVER, method) && name !== '__resolveType') kinds.push(['field', 'GraphQL field resolver']);
  return kinds;
}
