import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { dataDirectory } from './environment';

const run = promisify(execFile);

/** Announcements read by a person, from Debian's package asterisk-core-sounds-en-g722 (CC BY-SA 3.0). */
const PROMPTS = [
  'conf-extended',
  'conf-now-recording',
  'conf-onlyperson',
  'conf-leaderhasleft',
  'conf-placeintoconf',
  'demo-echodone',
  'dir-nomore',
];
const PROMPT_DIRECTORY = '/usr/share/asterisk/sounds/en_US_f_Allison';

/**
 * A recording of a human voice, about 25 s of English announcements with pauses, joined once from a Debian package that
 * the bootstrap installs. Throws an Error that says what to install when the package is not there.
 */
export async function sampleRecording(): Promise<string> {
  const target = path.join(dataDirectory(), 'samples/announcements.wav');
  if (existsSync(target)) return target;
  const inputs = PROMPTS.map((prompt) => path.join(PROMPT_DIRECTORY, `${prompt}.g722`));
  if (!inputs.every((input) => existsSync(input))) {
    throw new Error(
      'The sample recording needs a package: apt-get install asterisk-core-sounds-en-g722\nOr give a recording of yours: npm run demo -- FILE',
    );
  }
  await mkdir(path.dirname(target), { recursive: true });
  const partial = `${target}.${process.pid}.wav`;
  const padded = PROMPTS.map((_, index) => `[${index}:a]apad=pad_dur=0.9[p${index}]`).join(';');
  const joined = `${padded};${PROMPTS.map((_, index) => `[p${index}]`).join('')}concat=n=${PROMPTS.length}:v=0:a=1[out]`;
  const sources = inputs.flatMap((input) => ['-f', 'g722', '-i', input]);
  try {
    await run('ffmpeg', [
      '-v',
      'error',
      '-nostdin',
      '-y',
      ...sources,
      '-filter_complex',
      joined,
      '-map',
      '[out]',
      '-ar',
      '16000',
      '-ac',
      '1',
      partial,
    ]);
    await rename(partial, target);
  } catch (error) {
    await rm(partial, { force: true });
    throw new Error('The sample recording could not be made with ffmpeg. Install it: apt-get install ffmpeg', {
      cause: error,
    });
  }
  return target;
}
