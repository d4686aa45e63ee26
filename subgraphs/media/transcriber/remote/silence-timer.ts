/** Aborts its signal with a TimeoutError when nothing has restarted it for a while. */
export class SilenceTimer implements Disposable {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(limitMs: number) {
    const error = new DOMException(`Silent for ${limitMs} ms.`, 'TimeoutError');
    this.#timer = setTimeout(() => this.#controller.abort(error), limitMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The same chunks; each that is taken restarts the timer, and so does the end. */
  async *restartedBy<Chunk>(source: AsyncIterable<Chunk>): AsyncGenerator<Chunk, void, undefined> {
    for await (const chunk of source) {
      this.#timer.refresh();
      yield chunk;
    }
    this.#timer.refresh();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
