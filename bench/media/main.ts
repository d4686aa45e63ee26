import { benchFolder, runBenchmark, runFigures, tell } from '../run-figures';
import type { Bench, Measurement } from './bench';
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
  const bench: Bench = { options, folder: benchFolder('media'), tell };
  await runFigures({
    command: 'npm run bench:media',
    heading: 'Media benchmark: results',
    write: options.write,
    measurements: new Map(options.only.map((name) => [name, () => MEASUREMENTS[name](bench)])),
  });
}

runBenchmark(main);
