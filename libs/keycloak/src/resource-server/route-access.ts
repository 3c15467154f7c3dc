/** Route access: what a route's decorators come to. Closed when they say nothing, or nothing that can be made out. */
import { notedPlacesOf, noteAt, sealNotes, WHOLE_CLASS, type AccessNote, type Opening } from './access-notes.js';
import type { TokenVerification } from './verification.js';

export interface RouteAccess {
  readonly opening: Opening | 'closed';
  /** All of them are demanded of a token. */
  readonly permissions: readonly string[];
  /** Of each of these, one is demanded. */
  readonly anyOf: readonly (readonly string[])[];
  /** When not empty: the token must have been issued to one of them. */
  readonly clients: readonly string[];
  /** How old an introspection answer may be; undefined for what the module says. */
  readonly maxStalenessSeconds: number | undefined;
  /** How tokens are verified; undefined for what the module says. */
  readonly verification: TokenVerification | undefined;
  /** Why it is closed although decorators say something. */
  readonly fault: string | undefined;
}

/**
 * A handler is the method of its controller that is this very function. What decorators said of that name replaces what they said of the
 * class: opening and permissions together, clients apart, staleness, and verification. A demanded permission opens the route to those who
 * have it; allowed clients alone open nothing.
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
  const { clients = [], maxStalenessSeconds, verification } = ofClass;
  for (const each of chainOf(prototype)) sealNotes(each);
  return closedIfConflicting({
    ...openedBy(ofClass),
    clients,
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

function readAccess(prototype: unknown, handler: object): RouteAccess {
  if (typeof prototype !== 'object' || prototype === null) return closed('its class has no prototype');
  const [method, another] = methodsThatAre(prototype, handler);
  if (method === undefined) return closed('it is not a method of its class, but was put in the place of one');
  if (another !== undefined) {
    return closed(`it is a method under two names, ${String(method.name)} and ${String(another.name)}`);
  }
  return accessOf(prototype, method, handler);
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
  const said: RouteAccess = {
    ...openedBy(saysWhoPasses ? own : ofClass),
    clients: own.clients ?? ofClass.clients ?? [],
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

/** A demanded permission opens a handler to those who have it. */
function openedBy({
  opening,
  permissions = [],
  anyOf = [],
}: AccessNote): Pick<RouteAccess, 'opening' | 'permissions' | 'anyOf'> {
  const demandsPermission = permissions.length + anyOf.length > 0;
  return { opening: opening ?? (demandsPermission ? 'authenticated' : 'closed'), permissions, anyOf };
}

/** From the narrowest. */
const OPENINGS = ['closed', 'authenticated', 'optional', 'public'] as const;

function narrowed(access: RouteAccess, inherited: AccessNote): RouteAccess {
  const { permissions = [], anyOf = [] } = inherited;
  const demandsToken = permissions.length + anyOf.length > 0 || inherited.clients !== undefined;
  const opening = inherited.opening ?? (demandsToken ? 'authenticated' : 'public');
  const clients = inherited.clients ?? [];
  const both = access.clients.filter((client) => clients.includes(client));
  const staleness = Math.min(access.maxStalenessSeconds ?? Infinity, inherited.maxStalenessSeconds ?? Infinity);
  return {
    opening: OPENINGS[Math.min(OPENINGS.indexOf(access.opening), OPENINGS.indexOf(opening))] ?? 'closed',
    permissions: [...new Set([...access.permissions, ...permissions])],
    anyOf: [...access.anyOf, ...anyOf],
    clients: access.clients.length === 0 ? clients : clients.length === 0 ? access.clients : both,
    maxStalenessSeconds: staleness === Infinity ? undefined : staleness,
    // The stronger one; that a base would do with less changes nothing here.
    verification: inherited.verification === 'introspection' ? 'introspection' : access.verification,
    fault:
      access.clients.length > 0 && clients.length > 0 && both.length === 0
        ? '@AllowClients() here and on the handler that it inherits have no client in common'
        : access.fault,
  };
}

/** Decorators that contradict each other open nothing. */
function closedIfConflicting(access: RouteAccess): RouteAccess {
  const fault = accessConflict(access) ?? access.fault;
  return fault === undefined ? access : { ...access, opening: 'closed', fault };
}

function accessConflict({ opening, permissions, anyOf, clients }: RouteAccess): string | undefined {
  if (opening !== 'public') return undefined;
  if (permissions.length > 0) return '@Public() never looks at a token that @RequirePermission() needs';
  if (anyOf.length > 0) return '@Public() never looks at a token that @RequireAnyPermission() needs';
  return clients.length > 0 ? '@Public() never looks at a token that @AllowClients() needs' : undefined;
}

const closed = (fault: string): RouteAccess => ({
  opening: 'closed',
  permissions: [],
  anyOf: [],
  clients: [],
  maxStalenessSeconds: undefined,
  verification: undefined,
  fault,
});
