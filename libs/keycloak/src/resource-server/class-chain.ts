/** Class chain: a class and the classes that it extends, by their prototypes. */

/** A prototype and the prototypes that it inherits from, the nearest first. `Object.prototype` is left out. */
export function chainOf(prototype: object): object[] {
  const chain = [];
  for (let at: object | null = prototype; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    chain.push(at);
  }
  return chain;
}

/** For people: the name of the class, or of the nearest class that it extends where it has none, as a class that a decorator returns. */
export function nameOfClass(prototype: object): string {
  const names = chainOf(prototype).map((each): unknown => (each.constructor as { readonly name?: unknown }).name);
  return names.find((name): name is string => typeof name === 'string' && name !== '') ?? 'a class without a name';
}
