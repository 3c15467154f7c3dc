/** atOnce(): the value that a cache returns without waiting. */

/** Returns `value`, or undefined if it is pending, whose outcome is then ignored. */
export function atOnce<T>(value: T | Promise<T>): T | undefined {
  if (!(value instanceof Promise)) return value;
  value.catch(() => undefined);
  return undefined;
}
