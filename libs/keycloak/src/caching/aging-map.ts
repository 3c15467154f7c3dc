/**
 * A map whose entries are in the order of their last `set`. The map finds the oldest entry fast, even after many
 * deletes.
 */
export class AgingMap<V> extends Map<string, V> {
  // The map reuses one iterator, because a new iterator would step over all entries deleted since the last rehash.
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
      // An exhausted iterator never returns entries that are added later.
      if (this.#reached === undefined) this.#walk = this.entries();
    }
    return this.#reached[1];
  }
}
