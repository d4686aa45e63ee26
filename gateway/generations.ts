import type { Logger } from '../platform/logger';
import { retire, warmUp, type Generation } from './generation';

export interface GenerationsOptions {
  create(supergraphSdl: string): Promise<Generation>;
  /** Told of a generation that answers from now on. Resolves when nothing more is asked of those before. */
  took(next: Generation): Promise<void>;
  logger: Logger;
}

/** The supergraph that is served, and those before it for as long as something runs on them. */
export class Generations {
  private readonly retiring = new Set<Generation>();
  private readonly halted = new AbortController();
  private updating: Promise<void> = Promise.resolve();

  constructor(
    private newest: Generation,
    private readonly options: GenerationsOptions,
  ) {}

  get current(): Generation {
    return this.newest;
  }

  /** Serves another supergraph from now on; one after the other. Rejects when it cannot be served: then nothing changes. */
  update(supergraphSdl: string): Promise<void> {
    const updated = this.updating.then(() => this.change(supergraphSdl));
    this.updating = updated.catch(() => {});
    return updated;
  }

  /** Nothing is updated any more. */
  halt(): void {
    this.halted.abort();
  }

  /** Ends all of them. What still runs fails. */
  async end(): Promise<void> {
    this.halt();
    await this.updating;
    await Promise.all([this.newest, ...this.retiring].map((one) => one.end()));
  }

  private async change(supergraphSdl: string): Promise<void> {
    const before = this.newest;
    const { signal } = this.halted;
    if (signal.aborted || supergraphSdl === before.supergraph.sdl) return;
    const next = await this.options.create(supergraphSdl);
    await warmUp(next, before, signal);
    if (signal.aborted) return next.end();
    this.newest = next;
    this.retiring.add(before);
    void this.options
      .took(next)
      .then(() => retire(before))
      .catch((error: unknown) => this.options.logger.error({ error }, 'the supergraph before could not be ended'))
      .finally(() => this.retiring.delete(before));
  }
}
