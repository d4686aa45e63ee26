import { readOptions } from './options';
import { runReliability } from './reliability';
import { isFlawless, reportText } from './report';

/** `npm run reliability`: see README.md. Ends with 1 when something was lost, doubled or told wrongly. */
async function main(): Promise<void> {
  const runs = readOptions(process.argv.slice(2)) ?? [];
  const startedAt = performance.now();
  const tell = (line: string): void =>
    void process.stderr.write(`${((performance.now() - startedAt) / 1_000).toFixed(1).padStart(7)} s  ${line}\n`);
  for (const options of runs) {
    const report = await runReliability({ ...options, tell });
    process.stdout.write(`${reportText(report)}\n\n`);
    if (!isFlawless(report)) process.exitCode = 1;
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
