/** A map in the order of the last `set` of each key. The map finds the oldest entry fast, even after many deletes. */
export class AgingMap<V> extends Map<string, V> {
  // A new iterator would visit each entry that was deleted since the last rehash.
  #walk = this.entries();
  #reached: readonly [key: string, value: V] | undefined;

  override set(key: string, value: V): this {
    this.delete(key);
    return super.set(key, value);
  }

  override delete(key: string): boolean {
    if (key === this.#reached?.[0]) this.#reached = undefined;
    return super.delete(key);
  }

  override clear(): void {
    this.#reached = undefined;
    super.clear();
  }

  first(): V | undefined {
    if (this.size === 0) return undefined;
    while (this.#reached === undefined) {
      this.#reached = this.#walk.next().value;
      // An exhausted iterator does not see later entries.
      if (this.#reached === undefined) this.#walk = this.entries();
    }
    return this.#reached[1];
  }
}
