import { parseArgs } from 'node:util';
import { aComparedGateway, DIFFERENCES } from './compare';
import { mismatches } from './run';
import { SUPERGRAPHS } from './supergraphs/all';

/**
 * Long runs: `node -r ./platform/testing/register.cjs gateway/differential/main.ts --seed N --count N`, optionally with
 * `--supergraph NAME` (default: each), `--max N` (mismatches to print, default 10) and, as often as
 * needed, `--ignore order|data|errors|refused|mutations`.
 * Exit code 1 when something differs.
 */
async function main(): Promise<void> {
  const { values: flags } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      count: { type: 'string', default: '1000' },
      supergraph: { type: 'string', default: '' },
      max: { type: 'string', default: '10' },
      ignore: { type: 'string', multiple: true, default: [] },
    },
  });
  for (const [name, build] of Object.entries(SUPERGRAPHS)) {
    if (flags.supergraph && flags.supergraph !== name) continue;
    await using gateway = await aComparedGateway(build());
    let found = 0;
    const options = {
      seed: Number(flags.seed),
      count: Number(flags.count),
      ignored: DIFFERENCES.filter((difference) => flags.ignore.includes(difference)),
    };
    for await (const { report } of mismatches(gateway, options)) {
      console.log(`${report}\n`);
      process.exitCode = 1;
      if (++found >= Number(flags.max)) break;
    }
    console.log(`${name}: ${found} mismatches from seed ${flags.seed}, ${flags.count} operations`);
  }
}

void main();
