import { runChaos } from './chaos';
import { readOptions } from './options';
import { isFlawless, reportText } from './report';

/** `npm run chaos`: see README.md here. */
async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (!options) return;
  const startedAt = performance.now();
  const tell = (line: string): void =>
    void process.stderr.write(`${((performance.now() - startedAt) / 1_000).toFixed(1).padStart(7)} s  ${line}\n`);
  const report = await runChaos({ ...options, tell });
  process.stdout.write(`${reportText(report)}\n`);
  process.exitCode = isFlawless(report) ? 0 : 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
