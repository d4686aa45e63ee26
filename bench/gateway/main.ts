import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startLoad, startSubgraphs, type Subgraphs } from './children';
import type { Bench } from './measure';
import { readOptions, type Options } from './options';
import { installPeers } from './peers';
import { recordOperations } from './recording';
import { figuresTables } from './report';
import { Resources } from './resources';
import { runRounds } from './rounds';
import { chooseCores } from './system';
import { startTarget, type LaunchOptions } from './target-process';
import { TARGETS } from './targets';
import { oracleAnswers } from './workload/oracle';
import { SUBGRAPH_SCHEMAS } from './workload/schemas';
import { composeText } from './workload/supergraph';

/** `npm run bench:gateway`: see bench/README.md. */
async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (!options) return;
  installPeers();
  await using resources = new Resources();
  const cores = chooseCores();
  const folder = mkdtempSync(path.join(tmpdir(), 'sauti-bench-'));
  resources.defer(() => rmSync(folder, { recursive: true, force: true }));
  const subgraphs = resources.use(await startSubgraphs());
  const bench: Bench = { subgraphs, load: resources.use(startLoad()), expected: oracleAnswers() };
  const launch: LaunchOptions = {
    supergraphFile: path.join(folder, 'supergraph.graphql'),
    recordingFile: path.join(folder, 'recording.json'),
    core: cores?.gateway ?? null,
  };
  writeFileSync(launch.supergraphFile, supergraphOf(SUBGRAPH_SCHEMAS, subgraphs));
  await writeRecording(bench, options, launch);
  const wanted = TARGETS.filter(({ name }) => options.targets.includes(name));
  const processes = [];
  for (const target of wanted) {
    tell(`starting ${target.name}`);
    processes.push(resources.use(await startTarget(target, launch)));
  }
  const figures = await runRounds(bench, processes, options, tell);
  process.stdout.write(`${figuresTables(figures)}\n`);
}

function supergraphOf(schemas: Readonly<Record<string, string>>, { ports }: Subgraphs): string {
  return composeText(schemas, (name) => `http://127.0.0.1:${ports[name]}/graphql`);
}

/** What the stock gateway calls, for the targets that only repeat it. */
async function writeRecording(bench: Bench, options: Options, launch: LaunchOptions): Promise<void> {
  const isNeeded = TARGETS.some(({ name, needsRecording }) => needsRecording && options.targets.includes(name));
  const stock = TARGETS.find(({ name }) => name === 'stock');
  if (!isNeeded || !stock) return;
  tell('recording the calls of the stock plan');
  await using recorder = await startTarget(stock, launch);
  const operations = await recordOperations(recorder.port, bench.subgraphs, bench.expected);
  writeFileSync(launch.recordingFile, JSON.stringify({ operations }));
}

/** Progress goes to stderr, so that stdout is the report and nothing else. */
function tell(progress: string): void {
  process.stderr.write(`${progress}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`The benchmark failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
