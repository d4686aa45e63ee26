import { orAborted } from '../../../platform/or-aborted';

/** Lets at most `limit` pieces of work run at once; the others wait in the order in which they came. */
export class Turns {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly limit: number) {}

  /** Runs `work` when its turn comes; rejects with the signal's reason when it aborts before. */
  async take<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    await this.wait(signal);
    try {
      return await work();
    } finally {
      this.pass();
    }
  }

  private async wait(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.running < this.limit) return void this.running++;
    let turn = (): void => {};
    const comes = new Promise<void>((resolve) => this.waiting.push((turn = resolve)));
    try {
      await orAborted(comes, signal);
    } catch (error) {
      const place = this.waiting.indexOf(turn);
      if (place === -1)
        this.pass(); // its turn came in the same moment
      else this.waiting.splice(place, 1);
      throw error;
    }
  }

  /** Gives the turn to the next one, so that nobody who comes later can take it before. */
  private pass(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.running--;
  }
}
