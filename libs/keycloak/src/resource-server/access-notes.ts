/** Access notes: what decorators said of a class, or of one of its methods, kept by prototype and name. */
import { isDeepStrictEqual } from 'node:util';
import 'reflect-metadata';
import type { AuthenticationDemand } from '../protocol/authentication-demand.js';
import type { AllowedClient } from './allowed-client.js';
import { chainOf } from './class-chain.js';
import type { VerificationMethod } from './verification.js';

/** How a route treats a token: never looks, judges one if sent, or demands one. */
export type Opening = 'public' | 'optional' | 'authenticated';

export interface AccessNote {
  readonly opening?: Opening;
  readonly permissions?: readonly string[];
  /** Of each of these, one is demanded. */
  readonly anyOf?: readonly (readonly string[])[];
  readonly clients?: readonly AllowedClient[];
  readonly authentication?: AuthenticationDemand;
  readonly maxStalenessSeconds?: number;
  readonly verification?: VerificationMethod;
}

/** Stands for the class itself among the names of its methods. */
export const WHOLE_CLASS = Symbol('nestjs-keycloak-s2s:whole-class');

/** By name and not by function: a function that wraps, binds or stands in for a method has none of what was put on it. */
const notes = new WeakMap<object, Map<string | symbol, AccessNote>>();

/** What was said at this prototype itself, and not at one that it inherits from. */
export function noteAt(prototype: object, name: string | symbol): AccessNote {
  return notes.get(prototype)?.get(name) ?? NOTHING;
}

const NOTHING: AccessNote = Object.freeze({});

/** The names of the methods of which something was said at this prototype itself. */
export function notedMethods(prototype: object): (string | symbol)[] {
  return [...(notes.get(prototype)?.keys() ?? [])].filter((name) => name !== WHOLE_CLASS);
}

export function isNoted(prototype: object, name: string | symbol): boolean {
  return noteAt(prototype, name) !== NOTHING;
}

const sealed = new WeakSet<object>();

/** From now on a decorator at this prototype throws: its access has been read, and is cached. */
export function sealNotes(prototype: object): void {
  sealed.add(prototype);
}

/**
 * Adds to what was said; `merge` says what a second mark of the kind comes to. Throws `Error` for what is new once
 * all was read, since it would change nothing any more.
 */
export function note<Key extends keyof AccessNote>(
  prototype: object,
  name: string | symbol,
  key: Key,
  value: NonNullable<AccessNote[Key]>,
  merge: (earlier: NonNullable<AccessNote[Key]>) => NonNullable<AccessNote[Key]>,
): void {
  const earlier = noteAt(prototype, name)[key];
  const merged = earlier === undefined ? value : merge(earlier);
  if (sealed.has(prototype)) {
    // As where a module says it each time that it is configured.
    if (isDeepStrictEqual(merged, earlier)) return;
    throw new Error(
      `An access decorator comes too late for ${prototype.constructor.name}: an application with it has started already`,
    );
  }
  const ofPrototype = notes.get(prototype) ?? new Map<string | symbol, AccessNote>();
  if (ofPrototype.size === 0) noted.push(new WeakRef(prototype));
  notes.set(prototype, ofPrototype);
  standing = undefined;
  ofPrototype.set(name, { ...noteAt(prototype, name), [key]: merged });
}

/** A method by its place: the prototype that it was declared at, and its name there. */
export interface Place {
  readonly prototype: object;
  readonly name: string | symbol;
}

const noted: WeakRef<object>[] = [];

/** On a function: where it stood when something was said of it. Code that copies Nest's metadata of a function copies this, too. */
const PLACES = 'nestjs-keycloak-s2s:places';

/** Keeps with a method where it stands; not with one that is inherited, which stands elsewhere and has other heirs. */
export function markPlace(prototype: object, name: string | symbol, method: object): void {
  if (!Object.hasOwn(prototype, name)) return;
  const earlier = markedPlaces(method);
  if (earlier.some((place) => place.prototype === prototype && place.name === name)) return;
  Reflect.defineMetadata(PLACES, [...earlier, { prototype, name }], method);
}

const markedPlaces = (method: object): readonly Place[] =>
  (Reflect.getOwnMetadata(PLACES, method) as readonly Place[] | undefined) ?? [];

/** On a function: the place that declares it. Code that copies Nest's metadata of a function copies this, too. */
const HOME = 'nestjs-keycloak-s2s:home';

/**
 * Keeps with a method the class that declares it, so that the demands of that class hold where the method is copied to. The first class that claims a
 * method keeps it: the decorators of a class run when the class is defined, which is before anything can be copied from it.
 */
export function markHome(prototype: object, name: string | symbol, method: object): void {
  if (!Object.hasOwn(prototype, name) || Reflect.hasOwnMetadata(HOME, method)) return;
  Reflect.defineMetadata(HOME, { prototype, name } satisfies Place, method);
}

/** `markHome` for all methods that a class declares itself. */
export function markHomes(prototype: object): void {
  for (const name of Reflect.ownKeys(prototype).filter((key) => key !== 'constructor')) {
    const method = methodAt({ prototype, name });
    if (method !== undefined) markHome(prototype, name, method);
  }
}

/** By function: the places that `markInheritingHomes` found. */
const inheritingHomes = new WeakMap<object, readonly Place[]>();

/**
 * Finds the methods that a class has without any access decorator, on the class or on the method, while a class that it extends has one. `markHome` can't
 * see that the class declares them: a class that they are copied to may have claimed them. So every copy of the
 * function keeps the demands of the extended classes, even if another class declares it. Returns whether it found a place that was not known.
 */
export function markInheritingHomes(prototype: object): boolean {
  const [, ...bases] = chainOf(prototype);
  if (isNoted(prototype, WHOLE_CLASS) || !bases.some((base) => notes.has(base))) return false;
  const found = Reflect.ownKeys(prototype)
    .filter((name) => name !== 'constructor' && !isNoted(prototype, name))
    .map((name) => keepInheritingHome({ prototype, name }));
  return found.includes(true);
}

function keepInheritingHome(place: Place): boolean {
  const method = methodAt(place);
  const earlier = method === undefined ? [] : (inheritingHomes.get(method) ?? []);
  if (
    method === undefined ||
    earlier.some(({ prototype, name }) => prototype === place.prototype && name === place.name)
  )
    return false;
  inheritingHomes.set(method, [...earlier, place]);
  return true;
}

/** The places whose classes may declare a method: the place of `markHome`, and the places of `markInheritingHomes`. */
export function homesOf(method: object): readonly Place[] {
  const home = homeOf(method);
  return [...(home === undefined ? [] : [home]), ...(inheritingHomes.get(method) ?? [])];
}

/** The place that declares a method; undefined where no access decorator is at that place or on its class. */
const homeOf = (method: object): Place | undefined => Reflect.getOwnMetadata(HOME, method) as Place | undefined;

/**
 * The functions that this one may stand in for: a tracer puts one of its own between Nest's router and a handler, with all that Nest knows of it. They
 * are what stands now where this one is marked to.
 */
export const originalsOf = (method: object): readonly object[] => [
  ...new Set(markedPlaces(method).flatMap((place) => methodAt(place) ?? [])),
];

function methodAt({ prototype, name }: Place): object | undefined {
  const method: unknown = Object.getOwnPropertyDescriptor(prototype, name)?.value;
  return typeof method === 'function' ? method : undefined;
}

/** Every place of this function of which something was said: a mixin copies it from one class to others, as it is or wrapped. */
export function notedPlacesOf(method: object): readonly Place[] {
  standing ??= standingPlaces();
  return [...markedPlaces(method), ...(standing.get(method) ?? [])];
}

/** By function, what stands at places of which something was said; undefined when more was said since. */
let standing: WeakMap<object, Place[]> | undefined;

function standingPlaces(): WeakMap<object, Place[]> {
  const found = new WeakMap<object, Place[]>();
  for (const prototype of noted.flatMap((reference) => reference.deref() ?? [])) {
    for (const name of notedMethods(prototype)) {
      const method = methodAt({ prototype, name });
      if (method !== undefined) found.set(method, [...(found.get(method) ?? []), { prototype, name }]);
    }
  }
  return found;
}
