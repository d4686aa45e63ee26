/**
 * Things that come and go many thousand times a second. A `Set` would do, but costs a quarter of the time of a small
 * request: it makes itself a new table again and again, each table refers to the next and to what was in it, and once
 * one has outlived a few collections the whole chain is only freed by a full one (measured with `--trace-gc`).
 */
export class Slots<Item> {
  private readonly slots: (Item | undefined)[] = [];
  private readonly free: number[] = [];

  /** Adds an item; the function returned removes it, once. */
  enter(item: Item): () => void {
    const index = this.free.pop() ?? this.slots.length;
    this.slots[index] = item;
    let isIn = true;
    return () => {
      if (!isIn) return;
      isIn = false;
      this.slots[index] = undefined;
      this.free.push(index);
    };
  }

  items(): Item[] {
    return this.slots.filter((item) => item !== undefined);
  }
}
