import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { watchOtherWork } from './gateway/system';
import { figure as number } from './gateway/table';
import { figuresTable, type Figure } from './figure';
import { describeCommit, describeMachine, writeResultsPart } from './results-file';

/** A benchmark that measures one figure after the other. */
export interface FigureBench {
  /** The command, e.g. `npm run bench:media`. */
  command: string;
  /** Heading of its part of bench/RESULTS.md. */
  heading: string;
  write: boolean;
  /** By what each measures, in the order in which they are measured. */
  measurements: ReadonlyMap<string, () => Promise<Figure[]>>;
}

/**
 * Measures everything, prints the report and, with `write`, stores it in bench/RESULTS.md. What cannot be measured is told in its place,
 * and the process then ends with 1.
 */
export async function runFigures({ command, heading, write, measurements }: FigureBench): Promise<void> {
  const otherWork = watchOtherWork();
  const figures: Figure[] = [];
  for (const [name, measure] of measurements) {
    tell(`measuring: ${name}`);
    figures.push(...(await measured(name, measure)));
  }
  const report = [
    `- Date: ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC; Sauti at commit ${describeCommit()}`,
    `- Machine: ${describeMachine()}`,
    `- Other programs took ${number(otherWork() * 100, 0)} % of the machine meanwhile: the more, the longer everything waits; CPU times hardly change`,
    '',
    figuresTable(figures),
  ].join('\n');
  process.stdout.write(`${report}\n`);
  const head = `Written by \`${command} -- --write\`; [README.md](README.md) says how it measures and how to read it.\n`;
  if (write) writeResultsPart(heading, `${head}\n${report}`);
}

/** A folder for everything that a benchmark writes; removed when the process ends. */
export function benchFolder(name: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), `sauti-bench-${name}-`));
  chmodSync(folder, 0o755); // or root's database, which runs as another user, would keep its data elsewhere
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Progress goes to stderr, so that stdout is the report and nothing else. */
export function tell(progress: string): void {
  process.stderr.write(`${progress}\n`);
}

/** Runs a benchmark as a program: a signal ends it with what it has started, a failure is one line. */
export function runBenchmark(main: () => Promise<void>): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  main().catch((error: unknown) => {
    process.stderr.write(`The benchmark failed: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}

/** One thing that cannot be measured must not hide the others. */
async function measured(name: string, measure: () => Promise<Figure[]>): Promise<Figure[]> {
  try {
    return await measure();
  } catch (error) {
    process.exitCode = 1;
    const value = error instanceof Error ? error.message.split('\n', 1)[0]! : String(error);
    return [{ title: name, goal: '', value: `could not be measured: ${value}`, isMet: false }];
  }
}
