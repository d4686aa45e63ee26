import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chooseCores, watchOtherWork } from '../gateway/system';
import { writeResultsPart } from '../results-file';
import type { Bench } from './bench';
import type { Row } from './figures';
import { readOptions } from './options';
import { reportOf } from './report';
import { SCENARIOS } from './scenarios';

/** `npm run bench:subscriptions`: see bench/README.md. Ends with 1 when a scenario could not be run. */
async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (!options) return;
  const cores = chooseCores();
  const folder = mkdtempSync(path.join(tmpdir(), 'sauti-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const bench: Bench = { options, stage: { folder, core: cores?.gateway ?? null }, tell };
  const otherWork = watchOtherWork();
  const rows: Row[] = [];
  for (const name of options.scenarios) rows.push(...(await SCENARIOS[name](bench)));
  const report = reportOf(rows, { options, cores, otherWorkShare: otherWork() });
  process.stdout.write(`${report}\n`);
  if (options.write) writeResultsPart('Subscriptions benchmark: results', `${HEAD}\n${report}`);
  if (rows.some(({ failure }) => failure !== null)) process.exitCode = 1;
}

const HEAD = `Written by \`npm run bench:subscriptions -- --write\`; [README.md](README.md) says how it measures and how to read it.
`;

/** Progress goes to stderr, so that stdout is the report and nothing else. */
function tell(progress: string): void {
  process.stderr.write(`${progress}\n`);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1)); // ends the targets too
main().catch((error: unknown) => {
  process.stderr.write(`The benchmark failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
