import {
  homesOf,
  markInheritingHomes,
  markPlace,
  notedPlacesOf,
  noteAt,
  originalsOf,
  sealNotes,
  WHOLE_CLASS,
  type AccessNote,
  type Place,
} from './access-notes.js';
import { ownAccess, remainderOf, summedAccess, type AddedDemand, type RouteAccess } from './access-sum.js';
import { chainOf, nameOfClass } from './class-chain.js';
import { isEventStream } from './event-stream.js';
import { saidStaleness } from './verification.js';

export type { RouteAccess } from './access-sum.js';

/**
 * A handler must be a method of its controller, or a function that replaced such a method; any other handler is closed.
 *
 * A decorator of a method replaces the class decorators of the same kind. Decorators that open a route and decorators
 * that require permissions count as one kind. A base class never opens a handler of a derived class. The decorators of
 * a base class and of overridden methods only add requirements.
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

export const classAccess = (prototype: object): RouteAccess => summed(prototype, WHOLE_CLASS, []);

/** A handler has one entry for each controller that inherits the handler. */
let cached = new WeakMap<object, CachedAccess>();

interface CachedAccess {
  readonly controller: object;
  readonly access: RouteAccess;
  readonly next: CachedAccess | undefined;
}

function readAccess(prototype: unknown, given: object): RouteAccess {
  if (typeof prototype !== 'object' || prototype === null) return closed('its class has no prototype');
  const handler = handlerBehind(prototype, given);
  const [method, another] = methodsThatAre(prototype, handler);
  if (method === undefined) return closed('it is not a method of its class, but replaced one');
  if (another !== undefined) {
    return closed(`it is a method with two names, ${String(method.name)} and ${String(another.name)}`);
  }
  const said = accessOf(prototype, method, handler);
  const access = { ...said, staleness: saidStaleness(said) };
  return isEventStream(handler) ? { ...access, isLongLived: true } : access;
}

function handlerBehind(prototype: object, given: object): object {
  const isMethod = (one: object): boolean => methodsThatAre(prototype, one).length > 0;
  if (isMethod(given)) return given;
  const [original = given, another] = originalsOf(given).filter(isMethod);
  return another === undefined ? original : given;
}

interface Method {
  readonly name: string;
  readonly owner: object;
}

function methodsThatAre(prototype: object, handler: object): Method[] {
  const seen = new Set(['constructor']);
  return chainOf(prototype).flatMap((owner) =>
    Object.entries(Object.getOwnPropertyDescriptors(owner))
      .filter(([name]) => !seen.has(name) && seen.add(name))
      .filter(([, { value }]) => value === handler)
      .map(([name]) => ({ name, owner })),
  );
}

export function markDeclaringClasses(prototype: object): void {
  const found = chainOf(prototype).map(markInheritingHomes);
  // An earlier application may have cached access rules that lack the demands of the classes in `chainOf(prototype)`.
  if (found.includes(true)) cached = new WeakMap();
}

export function markHandler(prototype: object, handler: object): void {
  for (const { name, owner } of methodsThatAre(prototype, handler)) markPlace(owner, name, handler);
}

function accessOf(prototype: object, { name }: Method, handler: object): RouteAccess {
  const chain = chainOf(prototype);
  // Methods that a mixin copies from another class inherit the demands of that class.
  const copied = notedPlacesOf(handler)
    .filter((place) => place.name !== name || !chain.includes(place.prototype))
    .map((place) => demandOfMethod(place));
  const declared = homesOf(handler)
    .filter((home) => !chain.includes(home.prototype))
    .flatMap((home) => chainOf(home.prototype).map((each) => ({ prototype: each, name: home.name })))
    .flatMap((place) => demandsAt(place, 'the class'));
  return summed(prototype, name, [...copied, ...declared]);
}

function summed(prototype: object, name: string | symbol, others: readonly AddedDemand[]): RouteAccess {
  const [, ...bases] = chainOf(prototype);
  const inherited = bases.flatMap((base) => demandsAt({ prototype: base, name }, 'the base class'));
  const method = name === WHOLE_CLASS ? NOTHING : readNote({ prototype, name });
  const own = ownAccess(method, readNote({ prototype, name: WHOLE_CLASS }));
  return summedAccess(own, [...inherited, ...others]);
}

function demandsAt({ prototype, name }: Place, kind: string): AddedDemand[] {
  const ofMethod = name === WHOLE_CLASS ? [] : [demandOfMethod({ prototype, name })];
  const note = remainderOf(readNote({ prototype, name: WHOLE_CLASS }), ofMethod[0]?.note ?? NOTHING);
  return [...ofMethod, { note, place: `${kind} ${nameOfClass(prototype)}`, isOfClass: true }];
}

const demandOfMethod = (at: Place): AddedDemand => ({
  note: readNote(at),
  place: `${nameOfClass(at.prototype)}.${String(at.name)}`,
  isOfClass: false,
});

function readNote({ prototype, name }: Place): AccessNote {
  sealNotes(prototype);
  return noteAt(prototype, name);
}

const NOTHING: AccessNote = Object.freeze({});

export const CLOSED: RouteAccess = Object.freeze({
  opening: 'closed',
  permissions: [],
  anyOf: [],
  clients: [],
  authentication: undefined,
  maxStalenessSeconds: undefined,
  verification: undefined,
  fault: undefined,
});

const closed = (fault: string): RouteAccess => ({ ...CLOSED, fault });
