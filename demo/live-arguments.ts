import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { defaultEndpoint } from './arguments';

export interface LiveArguments {
  endpoint: string;
  /** Null: the microphone where there is one, else the sample recording. */
  file: string | null;
  /** Nothing but the microphone will do. */
  microphone: boolean;
  /** Language to translate into. */
  to: string;
  /** Show guesses where the terminal cannot be redrawn, too: a line for each. */
  partials: boolean;
}

const USAGE = `npm run demo:live [-- [FILE | --microphone] [--url http://localhost:4000/graphql] [--to es] [--partials]]

Signs up at a running Sauti (npm start), plays FILE at speaking pace, and shows its words as they are recognized and
translated. Without FILE it listens to the microphone until Ctrl-C; where there is none it plays a short sample.
--partials prints guesses as well when the output is no terminal.`;

/** Reads the command line; throws an Error with the usage for anything it does not know. */
export function readLiveArguments(argv: readonly string[]): LiveArguments {
  const { values, positionals } = parse(argv);
  const { url = defaultEndpoint(), to = 'es', microphone = false, partials = false } = values;
  const [file] = positionals;
  if (positionals.length > 1 || (file !== undefined && microphone)) throw new Error(USAGE);
  if (!URL.canParse(url))
    throw new Error(`--url must be an address such as http://localhost:4000/graphql.\n\n${USAGE}`);
  return { endpoint: url, file: file === undefined ? null : readable(file), microphone, to, partials };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        url: { type: 'string' },
        to: { type: 'string' },
        microphone: { type: 'boolean' },
        partials: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${USAGE}`, { cause: error });
  }
}

function readable(name: string): string {
  const file = path.resolve(name);
  try {
    accessSync(file, constants.R_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const message = code === 'ENOENT' ? `There is no file ${file}.` : `The file ${file} cannot be read.`;
    throw new Error(message, { cause: error });
  }
  return file;
}
