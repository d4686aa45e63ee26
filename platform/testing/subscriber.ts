import type { Viewer } from '../identity/viewer';
import type { Subgraph } from '../subgraph/subgraph';
import { identityOf } from './calls';

/** An open subscription that remembers what has arrived. */
export class Subscriber<Event> {
  private readonly results: AsyncGenerator<{ data?: unknown; errors?: unknown }, void, void>;

  constructor(subgraph: Subgraph, viewer: Viewer | null, query: string, variables: Record<string, unknown> = {}) {
    const { signal } = new AbortController();
    this.results = subgraph.subscribe({ query, variables }, { identity: identityOf(viewer), signal });
  }

  /** The next `count` events; fails when the stream ends or refuses before. */
  async take(count: number): Promise<Event[]> {
    const events: Event[] = [];
    while (events.length < count) events.push(await this.next());
    return events;
  }

  /** All events up to the end of the stream. */
  async all(): Promise<Event[]> {
    const events: Event[] = [];
    for await (const result of this.results) events.push(eventOf(result));
    return events;
  }

  /** The first result as it came, errors included, and whether the stream ended behind it. */
  async refusal(): Promise<{ errors?: unknown; ended: boolean }> {
    const first = await this.results.next();
    const second = await this.results.next();
    return { errors: first.value?.errors, ended: second.done === true };
  }

  async leave(): Promise<void> {
    await this.results.return();
  }

  private async next(): Promise<Event> {
    const { done, value } = await this.results.next();
    if (done) throw new Error('The stream ended.');
    return eventOf(value);
  }
}

function eventOf(result: { data?: unknown; errors?: unknown }): never {
  if (result.errors) throw new Error(`The stream answered with errors: ${JSON.stringify(result.errors)}`);
  return Object.values(result.data as object)[0] as never;
}
