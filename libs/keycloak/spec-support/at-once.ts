/** At once: what a cache gives without waiting. */

/** `value`, or undefined when it is still to come; how that ends is nobody's concern then. */
export function atOnce<T>(value: T | Promise<T>): T | undefined {
  if (!(value instanceof Promise)) return value;
  value.catch(() => undefined);
  return undefined;
}
