import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { repositoryRoot } from '../../platform/root';
import { measure, warmUp, type Bench } from './measure';
import type { Options } from './options';
import { signalForFile } from './signalled-file';
import { figure, table } from './table';
import { startTarget, type LaunchOptions } from './target-process';
import type { Target } from './targets';

/** The part of a .cpuprofile that is read; times are microseconds. */
interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples: number[];
  timeDeltas: number[];
}

const ROWS = 40;
const CONNECTIONS = 16;
const WRITE_LIMIT_MS = 60_000;
/** What no request causes: waiting, and the profiler's own start. */
const isOutside = ({ functionName, url }: { functionName: string; url: string }): boolean =>
  functionName === '(idle)' || url === 'node:inspector' || (functionName === 'dispatch' && url === '');

/** Profiles a target under load, after the warm-up, and returns a summary for each query; the profiles are kept. */
export async function profileTarget(
  bench: Bench,
  target: Target,
  options: Options,
  launch: LaunchOptions,
  folder: string,
): Promise<string> {
  const parts: string[] = [];
  for (const query of options.queries) {
    const file = path.join(folder, `profile-${query}`);
    await using running = await startTarget(target, {
      ...launch,
      nodeArgs: ['-r', path.join(repositoryRoot(), 'bench/gateway/profiler.cjs')],
      env: { BENCH_PROFILE_FILE: file },
    });
    await warmUp(bench, running, query, options.warmUpSeconds);
    await signalForFile(running, file, WRITE_LIMIT_MS);
    const figures = await measure(bench, running, {
      query,
      connections: CONNECTIONS,
      durationMs: options.seconds * 1_000,
    });
    const text = await signalForFile(running, file, WRITE_LIMIT_MS);
    if (text === null) throw new Error(`${target.name} has written no profile`);
    const kept = path.join(tmpdir(), `sauti-${target.name}-${query}.cpuprofile`);
    writeFileSync(kept, text);
    // What the profile calls a profile has been written by node itself.
    const profile = JSON.parse(text) as CpuProfile;
    const { cpuMsPerRequest } = figures;
    parts.push(
      `${target.name}, ${query}: ${figure(cpuMsPerRequest, 3)} ms CPU a request while profiled. Whole: ${kept}`,
      summarize(profile, cpuMsPerRequest),
    );
  }
  return parts.join('\n\n');
}

/** Where the time went, by function and by package or folder: share of the time on the CPU, and ms of one request. */
function summarize(profile: CpuProfile, cpuMsPerRequest: number): string {
  const byFunction = new Map<string, number>();
  const byPlace = new Map<string, number>();
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  let total = 0;
  profile.samples.forEach((id, index) => {
    const frame = frames.get(id);
    const time = profile.timeDeltas[index] ?? 0;
    if (!frame || isOutside(frame)) return;
    total += time;
    const file = placeOf(frame.url);
    add(byFunction, `${frame.functionName || '(anonymous)'} ${file}${file ? `:${frame.lineNumber + 1}` : ''}`, time);
    add(byPlace, groupOf(file, frame.functionName), time);
  });
  const rowsOf = (times: Map<string, number>): string[][] =>
    [...times]
      .sort(([, a], [, b]) => b - a)
      .slice(0, ROWS)
      .map(([name, time]) => [
        name,
        `${figure((100 * time) / total, 1)} %`,
        figure((cpuMsPerRequest * time) / total, 4),
      ]);
  return [
    table(['self time by package or folder', 'share', 'ms/request'], rowsOf(byPlace)),
    table(['self time by function', 'share', 'ms/request'], rowsOf(byFunction)),
  ].join('\n\n');
}

function placeOf(url: string): string {
  const file = url.startsWith('file:') ? fileURLToPath(url) : url;
  return path.isAbsolute(file) ? path.relative(repositoryRoot(), file) : file;
}

/** `@apollo/server`, `dist/gateway/execute`, `node:internal`, or what V8 itself does, e.g. `(garbage collector)`. */
function groupOf(file: string, functionName: string): string {
  const module = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1];
  if (module) return module;
  if (file.startsWith('node:')) return file.split('/')[0]!;
  return file === '' ? (functionName.startsWith('(') ? functionName : '(native)') : path.dirname(file);
}

function add(times: Map<string, number>, name: string, time: number): void {
  times.set(name, (times.get(name) ?? 0) + time);
}
