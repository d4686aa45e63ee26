import { unwatchFile, watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { SupergraphSource } from './supergraph-source';

/** How often the file is looked at. Its state is asked for, because change events do not reach through every mount. */
const LOOK_MS = 1_000;
/** A change is taken up when the file has stayed as it is for this long: whoever writes it may not be done. */
const SETTLE_MS = 200;

/** A supergraph in a file, followed as it changes: written in place, replaced, or behind a link that moves. */
export async function supergraphFile(file: string, lookMs = LOOK_MS): Promise<SupergraphSource> {
  let settling: NodeJS.Timeout | undefined;
  let onChange: (() => void) | undefined;
  return {
    sdl: await readSupergraph(file),
    read: () => readSupergraph(file),
    follow(changed) {
      onChange = () => {
        clearTimeout(settling);
        settling = setTimeout(() => void readSupergraph(file).then(changed.to, changed.failed), SETTLE_MS);
      };
      watchFile(file, { interval: lookMs, persistent: false }, onChange);
      onChange(); // it may have changed between the first reading and the first look
    },
    async stop() {
      clearTimeout(settling);
      if (onChange) unwatchFile(file, onChange);
    },
  };
}

async function readSupergraph(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error(
      `there is no supergraph at ${file}. Compose it with "npm run compose", or name one with --supergraph FILE.`,
      { cause: error },
    );
  }
}
