import { existsSync } from 'node:fs';
import path from 'node:path';
import { repositoryRoot } from '../../../../platform/root';
import { EngineUnavailableError } from '../transcriber';

/** Where PocketSphinx is; every part has a default that fits Debian. */
export interface InstallationOptions {
  /** Where to look for the English model, best first. */
  modelDirectories?: readonly string[];
  /** Names or paths of the two libraries. */
  libraries?: { sphinxbase: string; pocketsphinx: string };
  /** The script the decoder processes run. */
  childFile?: string;
}

export interface Installation {
  modelDirectory: string;
  libraries: { sphinxbase: string; pocketsphinx: string };
  childFile: string;
}

/** The Debian packages that hold the libraries and the model. */
export const INSTALL_COMMAND = 'apt-get install libpocketsphinx3 libsphinxbase3 pocketsphinx-en-us';

const MODEL_DIRECTORIES = ['/usr/share/pocketsphinx/model/en-us', '/usr/local/share/pocketsphinx/model/en-us'];
/** Debian's sonames; they name the ABI that child/native.cjs describes. */
const LIBRARIES = { sphinxbase: 'libsphinxbase.so.3', pocketsphinx: 'libpocketsphinx.so.3' };

/** Finds the model. Throws EngineUnavailableError with what to install. Whether the libraries load, only a process can tell. */
export function findPocketSphinx(options: InstallationOptions): Installation {
  return {
    modelDirectory: requireModel(options.modelDirectories ?? MODEL_DIRECTORIES),
    libraries: options.libraries ?? LIBRARIES,
    childFile: options.childFile ?? pocketSphinxChildFile(),
  };
}

/** The script is read from the repository in every mode: the build does not copy JavaScript. */
export function pocketSphinxChildFile(): string {
  return path.join(repositoryRoot(), 'subgraphs/media/transcriber/pocketsphinx/child/main.cjs');
}

function requireModel(directories: readonly string[]): string {
  const parts = ['en-us/mdef', 'cmudict-en-us.dict', 'en-us.lm.bin'];
  const found = directories.find((directory) => parts.every((part) => existsSync(path.join(directory, part))));
  if (found != null) return found;
  throw new EngineUnavailableError(
    `The English model of PocketSphinx is not in ${directories.join(' or ')}. Install with: ${INSTALL_COMMAND}`,
  );
}
