import { isScopeToken } from '../protocol/scope.js';
import { isAccessCheckBound } from './access-check.guard.js';
import { asksForAccessToken } from './caller.decorator.js';
import { isNoted, notedMethods, WHOLE_CLASS } from './access-notes.js';
import { nameOfClient } from './allowed-client.js';
import { chainOf, nameOfClass } from './class-chain.js';
import type { Handler, Host } from './handlers.discovery.js';
import type { RequestAdapter } from './request.adapter.js';
import { routeAccess, type RouteAccess } from './route-access.js';

export function refuseImpossible(label: string, { permissions, anyOf }: RouteAccess): void {
  const impossible = [...permissions, ...anyOf.flat()].find((name) => !isScopeToken(name));
  if (impossible === undefined) return;
  throw new Error(
    `${label} demands the permission ${JSON.stringify(impossible)}, which no token has, because permissions are scopes, each one word. To use roles, set the option "mapPermissions"`,
  );
}

export function refuseUnverifiable(label: string, { verification }: RouteAccess, jwt: unknown): void {
  if (verification !== 'jwt' || jwt !== undefined) return;
  throw new Error(
    `${label} has @TokenVerification('jwt'), but signatures can't be checked. Set forRoot({ jwt: jwtVerification() }) from nestjs-keycloak-s2s/jwt`,
  );
}

export function refuseUnknownIssuer(
  label: string,
  { clients }: RouteAccess,
  issuers: readonly { readonly issuer: string }[],
): void {
  for (const client of clients) {
    if (typeof client === 'string' || issuers.some(({ issuer }) => issuer === client.issuer)) continue;
    throw new Error(
      `${label} allows ${nameOfClient(client)}, but KeycloakModule.forRoot has no such issuer, so none of its tokens is accepted`,
    );
  }
}

export function refuseTokenOfPublic({ label, host, method }: Handler, { opening }: RouteAccess): void {
  if (opening !== 'public' || !asksForAccessToken(host.classes, method)) return;
  throw new Error(
    `${label} is @Public(), so its token is not verified, but it asks for one with @Caller(). Use @OptionalToken() or @Authenticated(), or remove @Caller()`,
  );
}

export function refuseTokenOfUnguarded({ label, host, method }: Handler, remedy: string): void {
  if (!asksForAccessToken(host.classes, method)) return;
  throw new Error(`${label} asks for a token with @Caller(), but Nest runs no guard for it. ${remedy}`);
}

const PATTERNS = 'microservices:pattern';
const BARE_STREAM = 'pt_stream';

/** Nest does not catch a guard's exception before `@GrpcStreamCall()`, so the first refusal would end the process. */
export function refuseUnansweredStream(
  { label, function: handler }: Handler,
  { opening }: RouteAccess,
  requestAdapters: readonly Pick<RequestAdapter, 'kind' | 'isOwn'>[],
): void {
  if (opening === 'public' || requestAdapters.some(({ kind, isOwn }) => kind === 'rpc' && isOwn === undefined)) return;
  const patterns = [Reflect.getMetadata(PATTERNS, handler)].flat() as readonly unknown[];
  if (!patterns.some((pattern) => (Object(pattern) as { streaming?: unknown }).streaming === BARE_STREAM)) return;
  throw new Error(
    `${label} has @GrpcStreamCall(), and Nest ends the process when a call of it is refused. Set microservicesRequestAdapter() in forRoot({ requestAdapters })`,
  );
}

export function refuseSharedContext(isShared: boolean): void {
  if (!isShared) return;
  throw new Error(
    'The option "context" of GraphQLModule is an object. Operations may share it, and one operation could run for the caller of another. Set a function that returns a new object',
  );
}

/** A library can't detect whether a hybrid application's microservice has a global guard. */
export function refuseOpenMessages(handlers: readonly Handler[]): void {
  for (const { kind, label, host } of handlers) {
    const isMessage = kind === 'message' || kind === 'gateway-message';
    if (!isMessage || host.classes.every(isAccessCheckBound)) continue;
    throw new Error(
      `${label} and its class have no access decorator. It would run for everybody if Nest runs it without the global guard`,
    );
  }
}

export function accessOf({ label, host: { prototype, instance }, method, function: found }: Handler): RouteAccess {
  const type: unknown = (instance ?? prototype).constructor;
  if (typeof type !== 'function' || type.prototype !== prototype) {
    const what = typeof type === 'function' ? `the class ${type.name}` : 'no class';
    throw new Error(`${label}: its "constructor" is ${what}, so the decorators of its own class would not apply`);
  }
  const routed = (instance as Readonly<Record<string, object>> | undefined)?.[method] ?? found;
  const access = routeAccess(type, found);
  const fault =
    access.fault ?? (routed === found ? undefined : (routeAccess(type, routed).fault ?? 'it is another method'));
  if (fault !== undefined) throw new Error(`${label}: ${fault}`);
  return access;
}

/** Ignores decorators that a provider inherits from a controller, because no request reaches the provider. */
export function refuseUnenforced(
  host: Host,
  guardedHandlers: readonly Handler[],
  hasHandlers: boolean,
  enforced: ReadonlySet<object>,
): void {
  const guarded = new Set<unknown>(guardedHandlers.map(({ method }) => method));
  const nothingEnforces = (what: string): Error =>
    new Error(`${what} has an access decorator that nothing enforces, because no guard runs for it`);
  const isReached = host.isController || host.isGateway || hasHandlers;
  const isSilent = (prototype: object): boolean => !isReached && enforced.has(prototype);
  const chain = chainOf(host.prototype);
  if (!host.isController && !host.isGateway && guarded.size === 0) {
    const noted = chain.find((each) => isNoted(each, WHOLE_CLASS) && !isSilent(each));
    if (noted !== undefined) throw nothingEnforces(noted === host.prototype ? host.name : nameOfClass(noted));
  }
  for (const base of chain.filter((each) => !isSilent(each))) {
    for (const name of notedMethods(base)) {
      const isOverridden = base !== host.prototype && chain.find((owner) => Object.hasOwn(owner, name)) !== base;
      if (!guarded.has(name) && !isOverridden) throw nothingEnforces(`${host.name}.${String(name)}`);
    }
  }
}
