import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { dataDirectory } from './environment';

export interface DemoArguments {
  endpoint: string;
  /** Null: the sample recording. */
  file: string | null;
  /** Language to translate into. */
  to: string;
}

const USAGE = `npm run demo [-- [FILE] [--url http://localhost:4000/graphql] [--to es]]

Signs up at a running Sauti (npm start), uploads FILE or a short sample of a human voice, and shows it becoming text.`;

/** Reads the command line; throws an Error with the usage for anything it does not know. */
export function readArguments(argv: readonly string[]): DemoArguments {
  const result: DemoArguments = { endpoint: defaultEndpoint(), file: null, to: 'es' };
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index]!;
    const value = argv[index + 1];
    if (argument === '--url' && value) result.endpoint = value;
    else if (argument === '--to' && value) result.to = value;
    else if (argument.startsWith('-') || result.file !== null) throw new Error(USAGE);
    else {
      result.file = path.resolve(argument);
      if (!existsSync(result.file)) throw new Error(`There is no file ${result.file}.`);
      continue;
    }
    index++;
  }
  if (!URL.canParse(result.endpoint))
    throw new Error(`--url must be an address such as http://localhost:4000/graphql.\n\n${USAGE}`);
  return result;
}

/** Where the Sauti that was last started from this clone answers. */
export function defaultEndpoint(): string {
  try {
    return readFileSync(path.join(dataDirectory(), 'endpoint'), 'utf8').trim();
  } catch {
    return 'http://localhost:4000/graphql';
  }
}
