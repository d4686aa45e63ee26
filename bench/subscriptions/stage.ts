import { writeFileSync } from 'node:fs';
import path from 'node:path';
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
