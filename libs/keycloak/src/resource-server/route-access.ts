/** Route access: what a route's decorators come to. Closed when they say nothing, or nothing that can be made out. */
import type { AuthenticationDemand } from '../protocol/authentication-demand.js';
import { isSameClient, type AllowedClient } from './allowed-client.js';
import {
  markPlace,
  notedPlacesOf,
  noteAt,
  originalsOf,
  sealNotes,
  WHOLE_CLASS,
  type AccessNote,
  type Opening,
} from './access-notes.js';
import { isEventStream } from './event-stream.js';
import type { TokenVerification } from './verification.js';

export interface RouteAccess {
  readonly opening: Opening | 'closed';
  /** All of them are demanded of a token. */
  readonly permissions: readonly string[];
  /** Of each of these, one is demanded. */
  readonly anyOf: readonly (readonly string[])[];
  /** When not empty: the token must have been issued to one of them. */
  readonly clients: readonly AllowedClient[];
  /** Which login must be behind the token; undefined for whichever. */
  readonly authentication: AuthenticationDemand | undefined;
  /** How old an introspection answer may be; undefined for what the module says. */
  readonly maxStalenessSeconds: number | undefined;
  /** How tokens are verified; undefined for what the module says. */
  readonly verification: TokenVerification | undefined;
  /** Why it is closed although decorators say something. */
  readonly fault: string | undefined;
  /** Of a handler of `@Sse()`: whom it admits goes on listening. */
  readonly isEventStream?: true;
}

/**
 * A handler is the method of its controller that is this very function, or that this one stands in for, as those of tracers do. What decorators said of that name replaces what they said of the
 * class: opening and permissions together; clients, authentication, staleness and verification each apart. A demanded permission opens the route to those
 * who have it, and so does a demanded authentication; allowed clients alone open nothing.
 *
 * A derived controller is never opened by its base: what is said of a base class counts for nothing, and what is said of a
 * handler that it inherits is demanded in addition; so it is with a handler that was copied from another class. What is no method of
 * the controller, or several of them, is closed.
 */
export function routeAccess(controller: object, handler: object): RouteAccess {
  const first = cached.get(handler);
  for (let entry = first; entry !== undefined; entry = entry.next) {
    if (entry.controller === controller) return entry.access;
  }
  const access = readAccess((controller as { readonly prototype?: unknown }).prototype, handler);
  cached.set(handler, { controller, access, next: first });
  return access;
}

/** What decorators say of the class itself, for what has no handler of its own: who may connect to a gateway. */
export function classAccess(prototype: object): RouteAccess {
  const ofClass = noteAt(prototype, WHOLE_CLASS);
  const { clients = [], authentication, maxStalenessSeconds, verification } = ofClass;
  for (const each of chainOf(prototype)) sealNotes(each);
  return closedIfConflicting({
    ...openedBy(ofClass, authentication),
    clients,
    authentication,
    maxStalenessSeconds,
    verification,
    fault: undefined,
  });
}

/** By handler: decorators have said all they say when a class is defined. A handler that is inherited has several controllers. */
const cached = new WeakMap<object, CachedAccess>();

interface CachedAccess {
  readonly controller: object;
  readonly access: RouteAccess;
  readonly next: CachedAccess | undefined;
}

function readAccess(prototype: unknown, given: object): RouteAccess {
  if (typeof prototype !== 'object' || prototype === null) return closed('its class has no prototype');
  const handler = handlerBehind(prototype, given);
  const [method, another] = methodsThatAre(prototype, handler);
  if (method === undefined) return closed('it is not a method of its class, but was put in the place of one');
  if (another !== undefined) {
    return closed(`it is a method under two names, ${String(method.name)} and ${String(another.name)}`);
  }
  const access = accessOf(prototype, method, handler);
  return isEventStream(handler) ? { ...access, isEventStream: true } : access;
}

/** What was given, or the one method that it stands in for. */
function handlerBehind(prototype: object, given: object): object {
  const isMethod = (one: object): boolean => methodsThatAre(prototype, one).length > 0;
  if (isMethod(given)) return given;
  const [original = given, another] = originalsOf(given).filter(isMethod);
  return another === undefined ? original : given;
}

interface Method {
  readonly name: string;
  /** The prototype that has it. */
  readonly owner: object;
}

/** The methods, own and inherited, that are this function. */
function methodsThatAre(prototype: object, handler: object): Method[] {
  const seen = new Set(['constructor']);
  return chainOf(prototype).flatMap((owner) =>
    Object.entries(Object.getOwnPropertyDescriptors(owner))
      .filter(([name]) => !seen.has(name) && seen.add(name))
      .filter(([, { value }]) => value === handler)
      .map(([name]) => ({ name, owner })),
  );
}

/** Marks where a handler stands, so that another function that is put before it, with all that Nest knows of it, is taken for it. */
export function markHandler(prototype: object, handler: object): void {
  for (const { name, owner } of methodsThatAre(prototype, handler)) markPlace(owner, name, handler);
}

/** A prototype and those that it inherits from, the nearest first. */
export function chainOf(prototype: object): object[] {
  const chain = [];
  for (let at: object | null = prototype; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    chain.push(at);
  }
  return chain;
}

function accessOf(prototype: object, { name, owner }: Method, handler: object): RouteAccess {
  const own = noteAt(prototype, name);
  const ofClass = noteAt(prototype, WHOLE_CLASS);
  const saysWhoPasses = own.opening !== undefined || own.permissions !== undefined || own.anyOf !== undefined;
  const authentication = own.authentication ?? ofClass.authentication;
  const said: RouteAccess = {
    ...openedBy(saysWhoPasses ? own : withToken(ofClass, own), authentication),
    clients: own.clients ?? ofClass.clients ?? [],
    authentication,
    maxStalenessSeconds: own.maxStalenessSeconds ?? ofClass.maxStalenessSeconds,
    verification: own.verification ?? ofClass.verification,
    fault: undefined,
  };
  const chain = chainOf(prototype);
  for (const each of chain) sealNotes(each);
  const bases = chain.slice(1, chain.indexOf(owner) + 1);
  const inherited = bases.map((base) => noteAt(base, name));
  // Copied from elsewhere, as mixins do: what was said of it there is demanded like what is inherited.
  const copied = notedPlacesOf(handler)
    .filter((place) => place.name !== name || (place.prototype !== prototype && !bases.includes(place.prototype)))
    .map((place) => noteAt(place.prototype, place.name));
  return closedIfConflicting([...inherited, ...copied].reduce(narrowed, said));
}

/** What a class says of a handler that demands an authentication and nothing else: its permissions, and no opening to those without a token. */
const withToken = (ofClass: AccessNote, { authentication }: AccessNote): AccessNote =>
  authentication === undefined ? ofClass : { ...ofClass, opening: 'authenticated' };

/** A demanded permission opens a handler to those who have it, and so does a demanded authentication. */
function openedBy(
  { opening, permissions = [], anyOf = [] }: AccessNote,
  authentication: AuthenticationDemand | undefined,
): Pick<RouteAccess, 'opening' | 'permissions' | 'anyOf'> {
  const opens = permissions.length + anyOf.length > 0 || authentication !== undefined;
  return { opening: opening ?? (opens ? 'authenticated' : 'closed'), permissions, anyOf };
}

/** From the narrowest. */
const OPENINGS = ['closed', 'authenticated', 'optional', 'public'] as const;

function narrowed(access: RouteAccess, inherited: AccessNote): RouteAccess {
  const { permissions = [], anyOf = [], clients = [], authentication } = inherited;
  const demandsToken = permissions.length + anyOf.length + clients.length > 0 || authentication !== undefined;
  const opening = inherited.opening ?? (demandsToken ? 'authenticated' : 'public');
  return {
    opening: OPENINGS[Math.min(OPENINGS.indexOf(access.opening), OPENINGS.indexOf(opening))] ?? 'closed',
    permissions: [...new Set([...access.permissions, ...permissions])],
    anyOf: [...access.anyOf, ...anyOf],
    clients: inCommon(access.clients, clients, isSameClient),
    authentication: bothDemands(access.authentication, authentication),
    maxStalenessSeconds: lesser(access.maxStalenessSeconds, inherited.maxStalenessSeconds),
    // The stronger one; that a base would do with less changes nothing here.
    verification: inherited.verification === 'introspection' ? 'introspection' : access.verification,
    fault:
      faultOfNone(
        '@AllowClients() here and on the handler that it inherits have no client in common',
        access.clients,
        clients,
        isSameClient,
      ) ??
      faultOfNone(
        '@RequireAuthentication() here and on the handler that it inherits have no acr in common',
        access.authentication?.acrValues,
        authentication?.acrValues,
      ) ??
      access.fault,
  };
}

/** Lists of which one member is demanded; an empty one demands nothing. */
function inCommon<T>(own: readonly T[], inherited: readonly T[], isSame: IsSame<T> = Object.is): readonly T[] {
  if (own.length === 0) return inherited;
  return inherited.length === 0 ? own : own.filter((member) => inherited.some((other) => isSame(member, other)));
}

type IsSame<T> = (one: T, other: T) => boolean;

const faultOfNone = <T>(
  fault: string,
  own: readonly T[] = [],
  inherited: readonly T[] = [],
  isSame?: IsSame<T>,
): string | undefined =>
  own.length + inherited.length > 0 && inCommon(own, inherited, isSame).length === 0 ? fault : undefined;

function bothDemands(
  own: AuthenticationDemand | undefined,
  inherited: AuthenticationDemand | undefined,
): AuthenticationDemand | undefined {
  if (own === undefined || inherited === undefined) return own ?? inherited;
  return {
    acrValues: inCommon(own.acrValues, inherited.acrValues),
    maxAgeSeconds: lesser(own.maxAgeSeconds, inherited.maxAgeSeconds),
  };
}

function lesser(own: number | undefined, inherited: number | undefined): number | undefined {
  const least = Math.min(own ?? Infinity, inherited ?? Infinity);
  return least === Infinity ? undefined : least;
}

/** Decorators that contradict each other open nothing. */
function closedIfConflicting(access: RouteAccess): RouteAccess {
  const fault = accessConflict(access) ?? access.fault;
  return fault === undefined ? access : { ...access, opening: 'closed', fault };
}

function accessConflict({ opening, permissions, anyOf, clients, authentication }: RouteAccess): string | undefined {
  if (opening !== 'public') return undefined;
  if (permissions.length > 0) return '@Public() never looks at a token that @RequirePermission() needs';
  if (anyOf.length > 0) return '@Public() never looks at a token that @RequireAnyPermission() needs';
  if (clients.length > 0) return '@Public() never looks at a token that @AllowClients() needs';
  return authentication === undefined
    ? undefined
    : '@Public() never looks at a token that @RequireAuthentication() needs';
}

const closed = (fault: string): RouteAccess => ({
  opening: 'closed',
  permissions: [],
  anyOf: [],
  clients: [],
  authentication: undefined,
  maxStalenessSeconds: undefined,
  verification: undefined,
  fault,
});
