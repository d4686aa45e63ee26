import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startLoad, startSubgraphs, type Subgraphs } from './children';
import { goalsTable } from './goals';
import { measureHostile, type HostileFigures } from './hostile';
import type { Bench } from './measure';
import { readOptions, type Options } from './options';
import { installPeers, peerVersions } from './peers';
import { profileTarget } from './profile';
import { recordOperations } from './recording';
import { figuresTables, hostileTable } from './report';
import { Resources } from './resources';
import { describeRun, writeResults } from './results';
import { runRounds, type TargetFigures } from './rounds';
import { chooseCores, watchOtherWork } from './system';
import { startTarget, type LaunchOptions } from './target-process';
import { TARGETS, type Target } from './targets';
import { HOSTILE_SCHEMAS } from './workload/hostile';
import { oracleAnswers } from './workload/oracle';
import { SUBGRAPH_SCHEMAS } from './workload/schemas';
import { composeText } from './workload/supergraph';

/** `npm run bench:gateway`: see bench/README.md. */
async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (!options) return;
  const wanted = TARGETS.filter(({ name }) =>
    options.profile ? name === options.profile : options.targets.includes(name),
  );
  const needsPeers = wanted.some((target) => target.needsPeers);
  if (needsPeers) installPeers();
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
  if (options.queries.length > 0 && wanted.some(({ needsRecording }) => needsRecording))
    await writeRecording(bench, launch);
  if (options.profile) {
    for (const target of wanted)
      process.stdout.write(`${await profileTarget(bench, target, options, launch, folder)}\n`);
    return;
  }
  const { figures, otherWorkShare } = await measureAll(bench, wanted, options, launch);
  const hostile = options.hostile ? await measureHostiles(bench, wanted, launch, folder) : [];
  const sections = [
    describeRun(options, { cores, otherWorkShare, peers: needsPeers ? peerVersions() : [] }),
    `## Figures to reach\n\n${goalsTable(figures, hostile)}`,
    '## All figures',
    figuresTables(figures),
    hostileTable(hostile),
  ];
  const report = sections.filter(Boolean).join('\n\n');
  process.stdout.write(`${report}\n`);
  if (options.write) writeResults(report);
}

/** Starts all targets, so that they can take turns, and stops them when all is measured. */
async function measureAll(
  bench: Bench,
  targets: readonly Target[],
  options: Options,
  launch: LaunchOptions,
): Promise<{ figures: TargetFigures[]; otherWorkShare: number | null }> {
  if (options.queries.length === 0) return { figures: [], otherWorkShare: null };
  await using resources = new Resources();
  const processes = [];
  for (const target of targets) {
    tell(`starting ${target.name}`);
    processes.push(resources.use(await startTarget(target, launch)));
  }
  const otherWork = watchOtherWork();
  const figures = await runRounds(bench, processes, options, tell);
  return { figures, otherWorkShare: otherWork() };
}

async function measureHostiles(
  bench: Bench,
  targets: readonly Target[],
  launch: LaunchOptions,
  folder: string,
): Promise<HostileFigures[]> {
  const supergraphFile = path.join(folder, 'hostile.graphql');
  const schemas = { accounts: SUBGRAPH_SCHEMAS.accounts, ...HOSTILE_SCHEMAS };
  writeFileSync(supergraphFile, supergraphOf(schemas, bench.subgraphs));
  const figures: HostileFigures[] = [];
  for (const target of targets.filter(({ facesHostile }) => facesHostile)) {
    tell(`hostile operation: ${target.name}`);
    figures.push(await measureHostile(bench, target, { ...launch, supergraphFile }, folder));
  }
  return figures;
}

function supergraphOf(schemas: Readonly<Record<string, string>>, { ports }: Subgraphs): string {
  return composeText(schemas, (name) => `http://127.0.0.1:${ports[name]}/graphql`);
}

/** What the stock gateway calls, for the targets that only repeat it. */
async function writeRecording(bench: Bench, launch: LaunchOptions): Promise<void> {
  const stock = TARGETS.find(({ name }) => name === 'stock')!; // it is in the list for good
  tell('recording the calls of the stock plan');
  await using recorder = await startTarget(stock, launch);
  const operations = await recordOperations(recorder.port, bench.subgraphs, bench.expected);
  writeFileSync(launch.recordingFile, JSON.stringify({ operations }));
}

/** Progress goes to stderr, so that stdout is the report and nothing else. */
function tell(progress: string): void {
  process.stderr.write(`${progress}\n`);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1)); // ends the targets too
main().catch((error: unknown) => {
  process.stderr.write(`The benchmark failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
