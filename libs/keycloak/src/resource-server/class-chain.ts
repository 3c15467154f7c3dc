/** Class chain: a class and its base classes, by their prototypes. */

/** Nearest first, without `Object.prototype`. */
export function chainOf(prototype: object): object[] {
  const chain = [];
  for (let at: object | null = prototype; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    chain.push(at);
  }
  return chain;
}

/** The name of the class, or of its nearest base class if it has none, as a class that a decorator returns. */
export function nameOfClass(prototype: object): string {
  const names = chainOf(prototype).map((each): unknown => (each.constructor as { readonly name?: unknown }).name);
  return names.find((name): name is string => typeof name === 'string' && name !== '') ?? 'a class without a name';
}
