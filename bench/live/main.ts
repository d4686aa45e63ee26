import { samplesOf } from '../../platform/testing/golden-speech';
import { golden } from '../media/recordings';
import { benchFolder, runBenchmark, runFigures, tell } from '../run-figures';
import type { Figure } from '../figure';
import { measureAudience } from './figures/audience';
import { measureLatency } from './figures/latency';
import { measureLoad } from './figures/load';
import { measureTakeovers } from './figures/takeover';
import type { LiveBench } from './live-bench';
import { readOptions, type FigureName } from './options';

const MEASUREMENTS: Readonly<Record<FigureName, (bench: LiveBench) => Promise<Figure[]>>> = {
  latency: measureLatency,
  load: measureLoad,
  takeover: measureTakeovers,
  audience: measureAudience,
};

/** `npm run bench:live`: see bench/README.md. Ends with 1 when something could not be measured. */
async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (!options) return;
  const folder = benchFolder('live');
  const speech = await golden({ folder });
  const bench: LiveBench = { folder, tell, speech: { ...speech, samples: await samplesOf(speech.file) } };
  await runFigures({
    command: 'npm run bench:live',
    heading: 'Live benchmark: results',
    write: options.write,
    measurements: new Map(options.only.map((name) => [name, () => MEASUREMENTS[name](bench)])),
  });
}

runBenchmark(main);
