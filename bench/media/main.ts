import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { watchOtherWork } from '../gateway/system';
import { figure as number } from '../gateway/table';
import { describeCommit, describeMachine, writeResultsPart } from '../results-file';
import { figuresTable, type Bench, type Figure, type Measurement } from './figure';
import { measureAccuracy } from './figures/accuracy';
import { measureCancels } from './figures/cancel';
import { measureDecoders } from './figures/decoders';
import { measureEngineCpu } from './figures/engine-cpu';
import { measureStarts } from './figures/start';
import { measureTakeovers } from './figures/takeover';
import { readOptions, type FigureName } from './options';

const MEASUREMENTS: Readonly<Record<FigureName, Measurement>> = {
  start: measureStarts,
  takeover: measureTakeovers,
  cancel: measureCancels,
  accuracy: measureAccuracy,
  engine: measureEngineCpu,
  decoders: measureDecoders,
};

/** `npm run bench:media`: see bench/README.md. Ends with 1 when something could not be measured. */
async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (!options) return;
  const folder = mkdtempSync(path.join(tmpdir(), 'sauti-bench-media-'));
  chmodSync(folder, 0o755); // or root's database, which runs as another user, would keep its data elsewhere
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const bench: Bench = { options, folder, tell };
  const otherWork = watchOtherWork();
  const figures: Figure[] = [];
  for (const name of options.only) {
    tell(`measuring: ${name}`);
    figures.push(...(await measured(name, bench)));
  }
  const report = [
    `- Date: ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC; Sauti at commit ${describeCommit()}`,
    `- Machine: ${describeMachine()}`,
    `- Other programs took ${number(otherWork() * 100, 0)} % of the machine meanwhile: the more, the longer everything waits; CPU times hardly change`,
    '',
    figuresTable(figures),
  ].join('\n');
  process.stdout.write(`${report}\n`);
  if (options.write) writeResultsPart('Media benchmark: results', `${HEAD}\n${report}`);
}

const HEAD = `Written by \`npm run bench:media -- --write\`; [README.md](README.md) says how it measures and how to read it.
`;

/** One thing that cannot be measured must not hide the others. */
async function measured(name: FigureName, bench: Bench): Promise<Figure[]> {
  try {
    return await MEASUREMENTS[name](bench);
  } catch (error) {
    process.exitCode = 1;
    const value = error instanceof Error ? error.message.split('\n', 1)[0]! : String(error);
    return [{ title: name, goal: '', value: `could not be measured: ${value}`, isMet: false }];
  }
}

/** Progress goes to stderr, so that stdout is the report and nothing else. */
function tell(progress: string): void {
  process.stderr.write(`${progress}\n`);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
main().catch((error: unknown) => {
  process.stderr.write(`The benchmark failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
