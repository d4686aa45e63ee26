import { parseArgs } from 'node:util';
import { namesAmong } from '../../e2e/option-values';

export const FIGURE_NAMES = ['start', 'takeover', 'cancel', 'accuracy', 'engine', 'decoders'] as const;
export type FigureName = (typeof FIGURE_NAMES)[number];

const USAGE = `npm run bench:media -- [options]
  --only LIST      ${FIGURE_NAMES.join(', ')} (default: all)
  --minutes N      length of the recording that one decoder and two decoders take (default: 10)
  --hour           the same with a whole hour
  --write          stores the report in bench/RESULTS.md
  --help           this text`;

export interface Options {
  only: readonly FigureName[];
  minutes: number;
  write: boolean;
}

/** Reads the command line. Throws an error with the usage for what it does not know; null when help was asked for. */
export function readOptions(argv: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: 'string', default: FIGURE_NAMES.join() },
      minutes: { type: 'string', default: '10' },
      hour: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return null;
  }
  const minutes = values.hour ? 60 : Number(values.minutes);
  if (!(minutes > 0)) throw new Error(`--minutes must be a number above 0; it is "${values.minutes}".\n\n${USAGE}`);
  return { only: namesAmong(values.only, FIGURE_NAMES, USAGE), minutes, write: values.write };
}
