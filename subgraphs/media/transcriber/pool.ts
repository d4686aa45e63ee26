import { orAborted } from '../../../platform/or-aborted';

/** A resource that may break while it is used. */
export interface Pooled extends AsyncDisposable {
  readonly isUsable: boolean;
  /** Resolves when the resource is at rest and may serve somebody else. */
  settled(): Promise<void>;
}

export interface PoolOptions<Resource> {
  /** Most resources at a time. */
  limit: number;
  open: () => Promise<Resource>;
  /** How long a resource that nobody uses is kept, in milliseconds; default a minute. */
  idleMs?: number;
}

const IDLE_MS = 60_000;

/**
 * Lends at most `limit` resources at a time, opens them on demand and keeps them open for the next caller, for a while.
 * Callers beyond the limit wait in order. A resource that broke is closed and replaced by the next caller's.
 */
export class Pool<Resource extends Pooled> implements AsyncDisposable {
  readonly #open: () => Promise<Resource>;
  readonly #idleMs: number;
  readonly #all = new Set<Resource>();
  /** The one used last is lent first, so that what a quiet time does not need grows old. */
  readonly #idle = new Map<Resource, NodeJS.Timeout>();
  readonly #queue: Array<() => void> = [];
  #freePlaces: number;
  #isClosed = false;

  constructor({ limit, open, idleMs = IDLE_MS }: PoolOptions<Resource>) {
    if (!Number.isInteger(limit) || limit < 1)
      throw new RangeError(`A pool needs a limit of at least 1, not ${limit}.`);
    this.#freePlaces = limit;
    this.#open = open;
    this.#idleMs = idleMs;
  }

  /** Waits for a place and lends a resource until the loan is disposed. Throws what opening throws, or the signal's reason. */
  async acquire(signal: AbortSignal): Promise<{ resource: Resource } & Disposable> {
    await this.#takePlace(signal);
    const opening = this.#takeIdleOrOpen();
    try {
      const resource = await orAborted(opening, signal);
      return { resource, [Symbol.dispose]: () => void this.#takeBack(resource) };
    } catch (error) {
      // A caller that leaves while one is opened leaves it to the next.
      void opening.then(
        (resource) => this.#takeBack(resource),
        () => this.#freePlace(),
      );
      throw error;
    }
  }

  /** Closes every resource; calls that still use one fail, and callers that wait are refused. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const resource of [...this.#idle.keys()]) this.#takeFromIdle(resource);
    for (const wake of this.#queue.splice(0)) wake();
    await Promise.all([...this.#all].map((resource) => this.#close(resource)));
  }

  async #takePlace(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#freePlaces > 0) {
      this.#freePlaces--;
      return;
    }
    let wake = () => {};
    const turn = new Promise<void>((resolve) => this.#queue.push((wake = resolve)));
    try {
      await orAborted(turn, signal); // whoever wakes us hands over the place, so the count stays
    } catch (error) {
      const position = this.#queue.indexOf(wake);
      if (position >= 0) this.#queue.splice(position, 1);
      else this.#freePlace(); // woken and aborted in the same moment: the place is ours to pass on
      throw error;
    }
  }

  #freePlace(): void {
    const next = this.#queue.shift();
    if (next) next();
    else this.#freePlaces++;
  }

  async #takeIdleOrOpen(): Promise<Resource> {
    for (const resource of [...this.#idle.keys()].reverse()) {
      this.#takeFromIdle(resource);
      if (resource.isUsable) return resource;
      void this.#close(resource); // it broke while nobody used it
    }
    return this.#openOne();
  }

  async #openOne(): Promise<Resource> {
    if (this.#isClosed) throw new Error('The pool is closed.');
    const resource = await this.#open();
    this.#all.add(resource);
    if (!this.#isClosed) return resource;
    await this.#close(resource);
    throw new Error('The pool is closed.');
  }

  /** A caller that gave up leaves a request running; the place is passed on only when it is answered. */
  async #takeBack(resource: Resource): Promise<void> {
    await resource.settled();
    if (resource.isUsable && !this.#isClosed) this.#keep(resource);
    else await this.#close(resource);
    this.#freePlace();
  }

  #keep(resource: Resource): void {
    const tooLong = setTimeout(() => {
      this.#takeFromIdle(resource);
      void this.#close(resource);
    }, this.#idleMs);
    tooLong.unref();
    this.#idle.set(resource, tooLong);
  }

  #takeFromIdle(resource: Resource): void {
    clearTimeout(this.#idle.get(resource));
    this.#idle.delete(resource);
  }

  async #close(resource: Resource): Promise<void> {
    this.#all.delete(resource);
    await resource[Symbol.asyncDispose]();
  }
}
