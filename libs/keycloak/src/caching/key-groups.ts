/** KeyGroups: which keys belong together, each from when it is added until it is deleted. */

/** Has no bound: the caller that adds a key deletes it when its value is gone. */
export class KeyGroups {
  readonly #keysOf = new Map<string, Set<string>>();
  readonly #groupOf = new Map<string, string>();

  /** How many keys there are, in all groups. */
  get size(): number {
    return this.#groupOf.size;
  }

  /** A key belongs to one group, the first that it was added to. */
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

  /** Those of now: they may be deleted while they are gone through. */
  keysOf(group: string): readonly string[] {
    return [...(this.#keysOf.get(group) ?? [])];
  }
}
