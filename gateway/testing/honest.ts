import { monitorEventLoopDelay } from 'node:perf_hooks';
import { post } from './gateways';

/** What an honest client asks for, and what it has to get: nothing of `accounts`, which some tests replace. */
const QUERY = 'query Honest { product(upc: "b1") { title ... on Book { reviews { stars } } } }';
const DATA = { product: { title: 'Notes', reviews: [{ stars: 5 }, { stars: 3 }] } };

export interface Honest {
  /** Resolves to what `hostile` does. Meanwhile an honest client asks again and again; rejects when one answer is wrong. */
  beside<Result>(hostile: () => Promise<Result>): Promise<Result>;
  /** What happened so far, for people: no test decides by it. */
  summary(): string;
}

/** An honest client of a gateway over the shop. Its first request goes out before the hostile one. */
export function anHonestClient(url: string): Honest {
  let answers = 0;
  let slowestMs = 0;
  let stallMs = 0;
  const ask = async (): Promise<void> => {
    const startedAt = performance.now();
    const answer = await post(url, QUERY);
    slowestMs = Math.max(slowestMs, performance.now() - startedAt);
    expect(answer).toEqual({ status: 200, data: DATA });
    answers++;
  };
  return {
    async beside(hostile) {
      await ask();
      const stalls = monitorEventLoopDelay({ resolution: 1 });
      stalls.enable();
      let isOver = false;
      const asking = (async () => {
        do await ask();
        while (!isOver);
      })();
      asking.catch(() => (isOver = true)); // awaited below, maybe much later
      try {
        return await hostile();
      } finally {
        isOver = true;
        await asking;
        stalls.disable();
        stallMs = Math.max(stallMs, stalls.max / 1e6);
        expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
      }
    },
    summary: () =>
      `${answers} honest answers, the slowest after ${slowestMs.toFixed(0)} ms; longest stall of the event loop, with the clients and subgraphs in it: ${stallMs.toFixed(0)} ms`,
  };
}

/** Prints a line of figures that no test asserts. */
export function report(what: string, honest: Honest): void {
  process.stdout.write(`  ${what}: ${honest.summary()}\n`);
}
