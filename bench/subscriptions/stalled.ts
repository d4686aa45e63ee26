import { setTimeout as pause } from 'node:timers/promises';
import { cpuMs, memoryBytes } from '../gateway/system';
import { measureInTurns, type Bench } from './bench';
import { failureOf, eventFigures, tallyFigures, type Row } from './figures';
import type { Tally } from './load-messages';
import { untilStarted, type Stage } from './stage';

const JOB = 'stalled';
const HONEST = 10;
const LINE_BYTES = 32 * 1_024;
/** Lines that are under way to the honest readers at a time, so that it is not they who are too slow. */
const WINDOW = 16;
/** The part of the volume that only honest readers get before, so that the target has grown to its usual size. */
const WARM_UP_PART = 0.25;
const REACH_LIMIT_MS = 60_000;
/** The gateway gives up on a client that takes nothing for 15 s; a few more for it to notice. */
const GIVEN_UP_AFTER_MS = 20_000;
const CLOSE_LIMIT_MS = 15_000;
const SAMPLE_EVERY_MS = 50;
/** A target that grows to this is stopped before the machine suffers. */
const MAX_RSS_BYTES = 4 * 1_024 ** 3;

/** Clients that hang among honest ones, while much is published. */
export function measureStalled(bench: Bench, turn: number): Promise<Row[]> {
  const { stalled, megabytes } = bench.options;
  const lines = Math.ceil((megabytes * 1_024 ** 2) / LINE_BYTES);
  const title = `${stalled} stalled sockets among ${HONEST} honest ones, ${megabytes} MB published`;
  return measureInTurns(bench, turn, { key: 'stalled', title, run: (stage) => run(stage, stalled, lines) });
}

async function run(stage: Stage, connections: number, lines: number): Promise<Pick<Row, 'figures' | 'failure'>> {
  const { load, process } = stage;
  const spec = { port: process.port, job: JOB, perSocket: 1, selections: 'text' as const, fields: ['lines' as const] };
  await load.open('honest', { ...spec, sockets: HONEST });
  await untilStarted(stage, JOB, ['honest']);
  const usualBytes = (await publish(stage, Math.ceil(lines * WARM_UP_PART))).peakBytes;
  await load.open('stalled', { ...spec, sockets: connections });
  await untilStarted(stage, JOB, ['stalled', 'honest']);
  await load.tell('stalled', 'stall');
  const stalledAt = performance.now();
  const cpuBefore = cpuMs(process.pid);
  const { peakBytes, from, seq } = await publish(stage, lines);
  const cpu = cpuMs(process.pid) - cpuBefore;
  const honest = await load.tally('honest', seq);
  const events = await load.figures('honest', from, seq);
  await pause(Math.max(0, GIVEN_UP_AFTER_MS - (performance.now() - stalledAt)));
  await load.tell('stalled', 'readAgain');
  await load.isClosed('stalled', CLOSE_LIMIT_MS);
  return {
    figures: {
      subscribers: HONEST + connections,
      ...tallyFigures(honest),
      ...eventFigures(events),
      cpuMsPer1000: (cpu * 1_000) / (lines * HONEST),
      rssGrowthBytes: peakBytes - usualBytes,
      stalled: stalledFigures(connections, await load.tally('stalled', seq)),
    },
    failure: failureOf([honest]),
  };
}

/** Announces lines as fast as honest readers take them, and watches the memory of the target. */
async function publish(
  { source, load, process }: Stage,
  lines: number,
): Promise<{ peakBytes: number; from: number; seq: number }> {
  let peakBytes = 0;
  const sample = (): void => void (peakBytes = Math.max(peakBytes, memoryBytes(process.pid).now));
  const timer = setInterval(sample, SAMPLE_EVERY_MS);
  try {
    let seq = 0;
    for (let done = 0; done < lines; done += WINDOW) {
      seq = await source.publish(JOB, Math.min(WINDOW, lines - done), LINE_BYTES);
      if (!(await load.hasReached('honest', seq, REACH_LIMIT_MS)))
        throw new Error(`line ${seq} did not reach all honest readers in a minute`);
      if (peakBytes > MAX_RSS_BYTES) throw new Error(`the target has grown to ${peakBytes} bytes`);
    }
    sample();
    return { peakBytes, from: seq - lines + 1, seq };
  } finally {
    clearInterval(timer);
  }
}

function stalledFigures(connections: number, { closes, closedWithCursor }: Tally) {
  const described = Object.entries(closes).map(([code, count]) => `${count} × ${code}`);
  return {
    connections,
    closedWith4413: closes['4413'] ?? 0,
    toldCursor: closedWithCursor,
    closes: described.join(', ') || 'none',
  };
}
