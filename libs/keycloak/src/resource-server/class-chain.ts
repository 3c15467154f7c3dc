export function chainOf(prototype: object): object[] {
  const chain = [];
  for (let at: object | null = prototype; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    chain.push(at);
  }
  return chain;
}

export function nameOfClass(prototype: object): string {
  const names = chainOf(prototype).map((each): unknown => (each.constructor as { readonly name?: unknown }).name);
  return names.find((name): name is string => typeof name === 'string' && name !== '') ?? 'a class without a name';
}
