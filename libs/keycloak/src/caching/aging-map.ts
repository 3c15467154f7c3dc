/** AgingMap: a map in the order in which its entries were set, whose first one is found at once, however many were deleted before it. */
export class AgingMap<V> extends Map<string, V> {
  // It goes on where it was. A new one passes over all that was deleted since the engine laid the map out anew, which may be as much as there is.
  #walk = this.entries();
  #reached: readonly [key: string, value: V] | undefined;

  /** What is set again stands at the end. */
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

  /** The value that was set before all others. */
  first(): V | undefined {
    if (this.size === 0) return undefined;
    while (this.#reached === undefined) {
      this.#reached = this.#walk.next().value;
      // It had come to the end, and sees nothing that is set after that.
      if (this.#reached === undefined) this.#walk = this.entries();
    }
    return this.#reached[1];
  }
}
