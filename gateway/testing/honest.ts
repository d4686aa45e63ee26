import { monitorEventLoopDelay } from 'node:perf_hooks';
import { post } from './gateways';

/** What an honest client asks for, and what it has to get: nothing of `accounts`, which some tests replace. */
const QUERY = 'query Honest { product(upc: "b1") { title ... on Book { reviews { stars } } } }';
const DATA = { product: { title: 'Notes', reviews: [{ stars: 5 }, { stars: 3 }] } };

/** What honest clients saw, for people: no test decides by it. */
export interface Figures {
  answers: number;
  slowestMs: number;
  /** Longest stall of the event loop, in milliseconds; clients and subgraphs of a test run on it, too. */
  stallMs: number;
  /** The test with the longest stall. */
  stalledIn: string;
}

export function noFigures(): Figures {
  return { answers: 0, slowestMs: 0, stallMs: 0, stalledIn: '' };
}

/** Prints figures that no test asserts. */
export function report(what: string, { answers, slowestMs, stallMs, stalledIn }: Figures): void {
  process.stdout.write(
    `  ${what}: ${answers} honest answers, the slowest after ${slowestMs.toFixed(0)} ms; longest stall ${stallMs.toFixed(0)} ms (${stalledIn})\n`,
  );
}

/**
 * Resolves to what `hostile` does. Meanwhile an honest client of the same gateway, over the shop, asks again and again;
 * rejects when one of its answers is wrong. Its first request goes out before the hostile one.
 */
export async function besideHonest<Result>(
  url: string,
  figures: Figures,
  hostile: () => Promise<Result>,
): Promise<Result> {
  const ask = async (): Promise<void> => {
    const startedAt = performance.now();
    const answer = await post(url, QUERY);
    figures.slowestMs = Math.max(figures.slowestMs, performance.now() - startedAt);
    expect(answer).toEqual({ status: 200, data: DATA });
    figures.answers++;
  };
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
    const stallMs = stalls.max / 1e6;
    if (stallMs > figures.stallMs)
      Object.assign(figures, { stallMs, stalledIn: expect.getState().currentTestName ?? '' });
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  }
}
