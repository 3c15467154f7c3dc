import { isDeepStrictEqual } from 'node:util';
import 'reflect-metadata';
import type { AuthenticationDemand } from '../protocol/authentication-demand.js';
import type { AllowedClient } from './allowed-client.js';
import { chainOf } from './class-chain.js';
import type { VerificationMethod } from './verification.js';

export type Opening = 'public' | 'optional' | 'authenticated';

export interface AccessNote {
  readonly opening?: Opening;
  readonly permissions?: readonly string[];
  readonly anyOf?: readonly (readonly string[])[];
  readonly clients?: readonly AllowedClient[];
  readonly authentication?: AuthenticationDemand;
  readonly maxStalenessSeconds?: number;
  readonly verification?: VerificationMethod;
  readonly challengesScopes?: true;
  readonly isLongLived?: true;
}

export const WHOLE_CLASS = Symbol('nestjs-keycloak-s2s:whole-class');

/** The key is the method name, because a wrapping function does not keep the method's metadata. */
const notes = new WeakMap<object, Map<string | symbol, AccessNote>>();

export function noteAt(prototype: object, name: string | symbol): AccessNote {
  return notes.get(prototype)?.get(name) ?? NOTHING;
}

const NOTHING: AccessNote = Object.freeze({});

export function notedMethods(prototype: object): (string | symbol)[] {
  return [...(notes.get(prototype)?.keys() ?? [])].filter((name) => name !== WHOLE_CLASS);
}

export function isNoted(prototype: object, name: string | symbol): boolean {
  return noteAt(prototype, name) !== NOTHING;
}

const sealed = new WeakSet<object>();

export function sealNotes(prototype: object): void {
  sealed.add(prototype);
}

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
    // A module that is configured several times adds the same access note each time.
    if (isDeepStrictEqual(merged, earlier)) return;
    throw new Error(
      `An access decorator was added to ${prototype.constructor.name} after an application with this class started`,
    );
  }
  const ofPrototype = notes.get(prototype) ?? new Map<string | symbol, AccessNote>();
  if (ofPrototype.size === 0) noted.push(new WeakRef(prototype));
  notes.set(prototype, ofPrototype);
  standing = undefined;
  ofPrototype.set(name, { ...noteAt(prototype, name), [key]: merged });
}

export interface Place {
  readonly prototype: object;
  readonly name: string | symbol;
}

const noted: WeakRef<object>[] = [];

/** The metadata key for the classes and names of a method. Code that copies Nest's metadata also copies this value. */
const PLACES = 'nestjs-keycloak-s2s:places';

export function markPlace(prototype: object, name: string | symbol, method: object): void {
  if (!Object.hasOwn(prototype, name)) return;
  const earlier = markedPlaces(method);
  if (earlier.some((place) => place.prototype === prototype && place.name === name)) return;
  Reflect.defineMetadata(PLACES, [...earlier, { prototype, name }], method);
}

const markedPlaces = (method: object): readonly Place[] =>
  (Reflect.getOwnMetadata(PLACES, method) as readonly Place[] | undefined) ?? [];

const HOME = 'nestjs-keycloak-s2s:home';

/**
 * Only the first call for a method has an effect: the decorators of the declaring class run before another class copies
 * the method.
 */
export function markHome(prototype: object, name: string | symbol, method: object): void {
  if (!Object.hasOwn(prototype, name) || Reflect.hasOwnMetadata(HOME, method)) return;
  Reflect.defineMetadata(HOME, { prototype, name } satisfies Place, method);
}

export function markHomes(prototype: object): void {
  for (const name of Reflect.ownKeys(prototype).filter((key) => key !== 'constructor')) {
    const method = methodAt({ prototype, name });
    if (method !== undefined) markHome(prototype, name, method);
  }
}

const inheritingHomes = new WeakMap<object, readonly Place[]>();

/** Records the methods of a class that only inherits decorators, because another class may copy these methods. */
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

export function homesOf(method: object): readonly Place[] {
  const home = homeOf(method);
  return [...(home === undefined ? [] : [home]), ...(inheritingHomes.get(method) ?? [])];
}

const homeOf = (method: object): Place | undefined => Reflect.getOwnMetadata(HOME, method) as Place | undefined;

/** Returns the methods that a tracer has replaced; the tracer copies Nest's metadata to the new function. */
export const originalsOf = (method: object): readonly object[] => [
  ...new Set(markedPlaces(method).flatMap((place) => methodAt(place) ?? [])),
];

function methodAt({ prototype, name }: Place): object | undefined {
  const method: unknown = Object.getOwnPropertyDescriptor(prototype, name)?.value;
  return typeof method === 'function' ? method : undefined;
}

/** A method can belong to several classes, because a mixin copies methods to other classes. */
export function notedPlacesOf(method: object): readonly Place[] {
  standing ??= standingPlaces();
  return [...markedPlaces(method), ...(standing.get(method) ?? [])];
}

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
