/**
 * Visits each of many items at the same interval, spread over it and by one timer: a tick visits those of one of its
 * `steps` places. An item is visited the first time within one interval.
 */
export class Wheel<Item> {
  private readonly places: Set<Item>[];
  private timer: NodeJS.Timeout | undefined;
  private size = 0;
  private entering = 0;
  private visiting = 0;

  constructor(private readonly options: { steps: number; stepMs: number; visit: (item: Item) => void }) {
    this.places = Array.from({ length: options.steps }, () => new Set());
  }

  /** Adds an item; the function returned removes it, once. */
  add(item: Item): () => void {
    const place = this.places[this.entering++ % this.places.length]!;
    place.add(item);
    this.size++;
    this.timer ??= setInterval(() => this.step(), this.options.stepMs).unref();
    return () => {
      if (!place.delete(item) || --this.size > 0) return;
      clearInterval(this.timer);
      this.timer = undefined;
    };
  }

  private step(): void {
    for (const item of this.places[this.visiting++ % this.places.length]!) this.options.visit(item);
  }
}
