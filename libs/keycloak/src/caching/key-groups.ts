/** The number of keys is unlimited, so the caller must delete a key when its value is gone. */
export class KeyGroups {
  readonly #keysOf = new Map<string, Set<string>>();
  readonly #groupOf = new Map<string, string>();

  get size(): number {
    return this.#groupOf.size;
  }

  add(group: string, key: string): void {
    if (this.#groupOf.has(key)) return;
    this.#groupOf.set(key, group);
    const keys = this.#keysOf.get(group);
    if (keys === undefined) this.#keysOf.set(group, new Set([key]));
    else keys.add(key);
  }

  delete(key: string): void {
    const group = this.#groupOf.get(key);
    if (group === undefined) return;
    this.#groupOf.delete(key);
    const keys = this.#keysOf.get(group);
    keys?.delete(key);
    if (keys?.size === 0) this.#keysOf.delete(group);
  }

  /** Returns a copy, so that the caller can delete keys while iterating. */
  keysOf(group: string): readonly string[] {
    return [...(this.#keysOf.get(group) ?? [])];
  }
}
