/** Route access: what a route's decorators come to. Closed when they say nothing, or nothing that can be made out. */
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
 * A handler is the method of its controller that is this very function, or the method that this function stands in for, as the function of a tracer
 * does. Within one class the decorators of the method replace the decorators of the class. Opening and permissions are replaced together; clients, authentication,
 * staleness and verification are replaced one by one. A demanded permission opens the route to callers who have it, and so does a demanded authentication.
 * Allowed clients alone open nothing.
 *
 * A base class never opens a handler of a derived class. It only demands: what each class of the chain demands of a handler, on the class or on its
 * method of that name, overridden or not, is demanded in addition. The same holds for a handler that was copied from another class. A function that is
 * not a method of the controller, or that is several of its methods, is closed.
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

/** The access by the decorators of a class and of its base classes: for connections to a gateway, which have no handler. */
export const classAccess = (prototype: object): RouteAccess => summed(prototype, WHOLE_CLASS, []);

/** By handler. Decorators add nothing after a class is defined. A handler that is inherited has several controllers. */
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
  if (method === undefined) return closed('it is not a method of its class, but was put in the place of one');
  if (another !== undefined) {
    return closed(`it is a method under two names, ${String(method.name)} and ${String(another.name)}`);
  }
  const said = accessOf(prototype, method, handler);
  const access = { ...said, staleness: saidStaleness(said) };
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

/** Keeps what a class and the classes that it extends demand of their methods, for classes that a method is copied to. */
export function markDeclaringClasses(prototype: object): void {
  const found = chainOf(prototype).map(markInheritingHomes);
  // An application that started earlier may have read the access without it.
  if (found.includes(true)) cached = new WeakMap();
}

/** Marks where a handler stands, so that another function that is put before it, with all that Nest knows of it, is taken for it. */
export function markHandler(prototype: object, handler: object): void {
  for (const { name, owner } of methodsThatAre(prototype, handler)) markPlace(owner, name, handler);
}

function accessOf(prototype: object, { name }: Method, handler: object): RouteAccess {
  const chain = chainOf(prototype);
  // Copied from elsewhere, as mixins do: what was said of it there is demanded like what is inherited.
  const copied = notedPlacesOf(handler)
    .filter((place) => place.name !== name || !chain.includes(place.prototype))
    .map((place) => demandOfMethod(place));
  const declared = homesOf(handler)
    .filter((home) => !chain.includes(home.prototype))
    .flatMap((home) => chainOf(home.prototype).map((each) => ({ prototype: each, name: home.name })))
    .flatMap((place) => demandsAt(place, 'the class'));
  return summed(prototype, name, [...copied, ...declared]);
}

/** The access by the notes of a whole chain of classes, and by further demands. */
function summed(prototype: object, name: string | symbol, others: readonly AddedDemand[]): RouteAccess {
  const [, ...bases] = chainOf(prototype);
  const inherited = bases.flatMap((base) => demandsAt({ prototype: base, name }, 'the base class'));
  const method = name === WHOLE_CLASS ? NOTHING : readNote({ prototype, name });
  const own = ownAccess(method, readNote({ prototype, name: WHOLE_CLASS }));
  return summedAccess(own, [...inherited, ...others]);
}

/** The demands of a class that is not the handler's own. The note of its method replaces the note of the class. */
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

/** From now on a decorator at this prototype throws. */
function readNote({ prototype, name }: Place): AccessNote {
  sealNotes(prototype);
  return noteAt(prototype, name);
}

const NOTHING: AccessNote = Object.freeze({});

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
