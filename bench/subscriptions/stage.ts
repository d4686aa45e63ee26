import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { stringify } from 'yaml';
import { repositoryRoot } from '../../platform/root';
import { Resources } from '../gateway/resources';
import { signalForFile } from '../gateway/signalled-file';
import { freePort } from '../gateway/system';
import { startProcess, type ProcessOptions, type RunningProcess } from '../gateway/target-process';
import { composeText } from '../gateway/workload/supergraph';
import { Load } from './load-process';
import { sourceAt, type Source } from './source-control';
import { SUBGRAPH_SCHEMAS } from './workload';

export const TARGET_NAMES = ['sauti', 'raw'] as const;
export type TargetName = (typeof TARGET_NAMES)[number];
export const TARGET_TITLES: Record<TargetName, string> = { sauti: 'Sauti', raw: 'raw graphql-ws' };

/** One target that was just started, with a load generator of its own and the source of what it sends on. */
export interface Stage extends AsyncDisposable {
  target: TargetName;
  process: RunningProcess;
  load: Load;
  source: Source;
  /** What is left after a garbage collection, in bytes. */
  heapBytes(): Promise<number>;
}

export interface StageOptions {
  folder: string;
  /** The core of the target; null: any. */
  core: number | null;
}

const MEMORY_LIMIT_MS = 60_000;

export async function startStage(target: TargetName, options: StageOptions): Promise<Stage> {
  const resources = new Resources();
  try {
    const memoryFile = path.join(options.folder, `${target}-memory.json`);
    const measured: ProcessOptions = {
      core: options.core,
      nodeArgs: ['--expose-gc', '-r', script('memory.cjs')],
      env: { BENCH_MEMORY_FILE: memoryFile },
    };
    const start = target === 'sauti' ? startSauti : startRaw;
    const { process, source } = await start(resources, measured, options.folder);
    return {
      target,
      process,
      source,
      load: resources.use(new Load()),
      heapBytes: () => heapBytes(process, memoryFile),
      [Symbol.asyncDispose]: () => resources[Symbol.asyncDispose](),
    };
  } catch (error) {
    await resources[Symbol.asyncDispose]();
    throw error;
  }
}

type Started = Pick<Stage, 'process' | 'source'>;

async function startSauti(resources: Resources, measured: ProcessOptions, folder: string): Promise<Started> {
  const ports = { jobs: await freePort(), words: await freePort() };
  const subgraphs = { name: 'the subgraphs', port: ports.jobs };
  const args = [...typescript('subgraphs.ts'), String(ports.jobs), String(ports.words)];
  resources.use(await startProcess({ ...subgraphs, args }, { core: null }));
  const port = await freePort();
  const command = [path.join(repositoryRoot(), 'dist/gateway/main.js'), '--config', writeConfig(folder, ports)];
  const gateway = { name: 'the gateway', port, args: [...command, '--port', String(port)] };
  return { process: resources.use(await startProcess(gateway, measured)), source: sourceAt(ports.jobs) };
}

/** All subscribers of the benchmark are one anonymous user, who needs more than one user usually gets. */
const LIMITS = { maxConnectionsPerUser: 20_000, maxSubscriptions: 20_000, maxSubscriptionsPerUser: 20_000 };

function writeConfig(folder: string, ports: Record<keyof typeof SUBGRAPH_SCHEMAS, number>): string {
  const urlOf = (name: string): string => `http://127.0.0.1:${ports[name as keyof typeof ports]}/graphql`;
  writeFileSync(path.join(folder, 'supergraph.graphql'), composeText(SUBGRAPH_SCHEMAS, urlOf));
  const file = path.join(folder, 'gateway.yaml');
  writeFileSync(file, stringify({ supergraph: 'supergraph.graphql', limits: LIMITS }));
  return file;
}

async function startRaw(resources: Resources, measured: ProcessOptions): Promise<Started> {
  const port = await freePort();
  const args = [...typescript('raw-server.ts'), String(port)];
  const process = await startProcess({ name: 'the raw server', port, args }, measured);
  return { process: resources.use(process), source: sourceAt(port) };
}

function typescript(file: string): string[] {
  return ['-r', path.join(repositoryRoot(), 'platform/testing/register.cjs'), script(file)];
}

function script(file: string): string {
  return path.join(repositoryRoot(), 'bench/subscriptions', file);
}

async function heapBytes(running: RunningProcess, file: string): Promise<number> {
  const text = await signalForFile(running, file, MEMORY_LIMIT_MS);
  if (text === null)
    throw new Error(running.hasEnded() ? 'the target has ended' : 'the target does not tell its memory');
  return (JSON.parse(text) as NodeJS.MemoryUsage).heapUsed;
}

const LOOK_EVERY_MS = 100;
const START_LIMIT_MS = 240_000;
const IDLE_LIMIT_MS = 60_000;

/**
 * Announces lines until every subscriber of the audiences has had one: only then all are surely there. Resolves with the
 * number of a line that reached all. Throws when that takes more than four minutes.
 */
export async function untilStarted(
  { load, source }: Stage,
  job: string,
  audiences: readonly string[],
): Promise<number> {
  const deadline = performance.now() + START_LIMIT_MS;
  for (const audience of audiences) {
    let turns = 0;
    while (!(await load.hasStarted(audience, Math.min(2_000, 50 * 2 ** turns)))) {
      if (performance.now() > deadline) throw new Error(`not all subscribers of "${audience}" have got a line`);
      await source.publish(job, 1, 20);
      turns += 1;
    }
  }
  const seq = await source.publish(job, 1, 20);
  for (const audience of audiences)
    if (!(await load.hasReached(audience, seq, IDLE_LIMIT_MS)))
      throw new Error(`line ${seq} has not reached all subscribers of "${audience}" in a minute`);
  return seq;
}

/** Waits until nobody reads at the source any more. Throws when that takes more than a minute. */
export async function untilIdle({ source }: Stage): Promise<void> {
  const deadline = performance.now() + IDLE_LIMIT_MS;
  for (;;) {
    const { readersOpen } = await source.count();
    if (readersOpen === 0) return;
    if (performance.now() > deadline) throw new Error(`${readersOpen} streams are still open at the source`);
    await pause(LOOK_EVERY_MS);
  }
}
