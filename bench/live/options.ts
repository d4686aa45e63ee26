import { parseArgs } from 'node:util';
import { namesAmong } from '../../e2e/option-values';

export const FIGURE_NAMES = ['latency', 'load', 'takeover', 'audience'] as const;
export type FigureName = (typeof FIGURE_NAMES)[number];

const USAGE = `npm run bench:live -- [options]
  --only LIST      ${FIGURE_NAMES.join(', ')} (default: all)
  --write          stores the report in bench/RESULTS.md
  --help           this text`;

export interface Options {
  only: readonly FigureName[];
  write: boolean;
}

/** Reads the command line. Throws an error with the usage for what it does not know; null when help was asked for. */
export function readOptions(argv: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: 'string', default: FIGURE_NAMES.join() },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return null;
  }
  return { only: namesAmong(values.only, FIGURE_NAMES, USAGE), write: values.write };
}
