import { parseArgs } from 'node:util';
import { runBenchmark, runFigures } from '../run-figures';
import { measureRevocation } from './revocation';
import { measureVerification } from './verification';

/** `npm run bench:identity [-- --write]`: see bench/README.md. Ends with 1 when something could not be measured. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { write: { type: 'boolean', default: false } } });
  await runFigures({
    command: 'npm run bench:identity',
    heading: 'Identity: results',
    write: values.write,
    measurements: new Map([
      ['verification', measureVerification],
      ['revocation', measureRevocation],
    ]),
  });
}

runBenchmark(main);
