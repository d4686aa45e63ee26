import path from 'node:path';
import { repositoryRoot } from '../../platform/root';
import type { Bench } from './measure';
import { signalForFile } from './signalled-file';
import { post, startTarget, type LaunchOptions, type TargetProcess } from './target-process';
import type { Target } from './targets';
import { HOSTILE_OPERATION } from './workload/hostile';
import { QUERIES } from './workload/queries';

/** What the other clients saw while one hostile operation was planned. */
export interface HostileFigures {
  target: Target;
  /** How the hostile operation ended. */
  outcome: string;
  hostileMs: number;
  /** The longest that a small operation with a known plan waited. */
  longestStallMs: number;
  /** The longest that the event loop was held up; null when the process could not be asked any more. */
  eventLoopMs: number | null;
}

/** The hostile operation is given up after this; then the process is ended. */
const LIMIT_MS = 40_000;
const CONNECTIONS = 2;
const PACE_MS = 5;
const SLICE_MS = 1_000;
const EVENT_LOOP_ANSWER_MS = 5_000;

/** Sends one hostile operation amid small ones. `launch` names the hostile supergraph; `folder` takes temporary files. */
export async function measureHostile(
  bench: Bench,
  target: Target,
  launch: LaunchOptions,
  folder: string,
): Promise<HostileFigures> {
  const file = path.join(folder, `event-loop-${target.name}`);
  await using running = await startTarget(target, {
    ...launch,
    nodeArgs: ['-r', path.join(repositoryRoot(), 'bench/gateway/event-loop.cjs')],
    env: { BENCH_EVENT_LOOP_FILE: file },
  });
  await bench.load.open(running.port, CONNECTIONS);
  await smallRequests(bench, running); // plans, compiles and warms the small operation
  await eventLoopDelay(running, file);
  const startedAt = performance.now();
  let outcome: string | undefined;
  const hostile = post(running.port, HOSTILE_OPERATION, AbortSignal.timeout(LIMIT_MS)).then(describe, giveUp(running));
  const ended = hostile.then((text) => {
    outcome = text;
    return performance.now() - startedAt;
  });
  let longestStallMs = 0;
  while (outcome === undefined) longestStallMs = Math.max(longestStallMs, await stallOf(bench, running));
  return {
    target,
    outcome,
    hostileMs: await ended,
    longestStallMs,
    eventLoopMs: await eventLoopDelay(running, file),
  };
}

async function stallOf(bench: Bench, running: TargetProcess): Promise<number> {
  const startedAt = performance.now();
  try {
    return await smallRequests(bench, running);
  } catch (error) {
    if (!running.hasEnded()) throw error;
    return performance.now() - startedAt; // given up while these requests still waited
  }
}

/** The longest latency of a second of small requests; every answer is checked. */
async function smallRequests({ load, expected }: Bench, { target }: TargetProcess): Promise<number> {
  const run = { query: QUERIES.small, expected: expected.small, durationMs: SLICE_MS, paceMs: PACE_MS };
  const { wrong, maxMs } = await load.run(run);
  if (wrong > 0) throw new Error(`${target.name} gave wrong answers beside a hostile operation`);
  return maxMs;
}

function describe({ status, body }: { status: number; body: string }): string {
  const { errors } = JSON.parse(body) as { errors?: { message: string; extensions?: { code?: string } }[] };
  const [error] = errors ?? [];
  return error ? `refused with ${error.extensions?.code ?? error.message}` : `answered with ${status}`;
}

function giveUp(running: TargetProcess): () => string {
  return () => {
    running.kill('SIGKILL');
    return `not answered within ${LIMIT_MS / 1_000} s`;
  };
}

async function eventLoopDelay(running: TargetProcess, file: string): Promise<number | null> {
  const text = await signalForFile(running, file, EVENT_LOOP_ANSWER_MS);
  return text === null ? null : Number(text);
}
