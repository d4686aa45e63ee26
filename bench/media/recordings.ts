import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { buildGoldenSpeech, goldenSpeechMissing, type GoldenUtterance } from '../../platform/testing/golden-speech';
import type { Bench } from './bench';

const run = promisify(execFile);

export interface Golden {
  file: string;
  utterances: readonly GoldenUtterance[];
  durationMs: number;
}

/** The golden recording as WAV. Throws with the command that installs what it is made of. */
export async function golden({ folder }: Pick<Bench, 'folder'>): Promise<Golden> {
  const missing = goldenSpeechMissing();
  if (missing !== null) throw new Error(missing);
  const file = path.join(folder, 'golden.wav');
  const utterances = await buildGoldenSpeech(file);
  return { file, utterances, durationMs: utterances.at(-1)!.endMs + 900 };
}

/** The same in another format; ffmpeg chooses it by the ending of the name. */
export async function encodedAs(
  { folder }: Pick<Bench, 'folder'>,
  file: string,
  ending: string,
  args: string[] = [],
): Promise<string> {
  const target = path.join(folder, `golden.${ending}`);
  await run('ffmpeg', ['-v', 'error', '-y', '-i', file, ...args, target]);
  return target;
}

/** The golden recording again and again, as FLAC, until it is so long. */
export async function lasting(
  { folder }: Pick<Bench, 'folder'>,
  { file, durationMs }: Golden,
  minutes: number,
): Promise<string> {
  const times = Math.ceil((minutes * 60_000) / durationMs);
  const list = path.join(folder, `list-${minutes}.txt`);
  await writeFile(list, Array.from({ length: times }, () => `file '${file}'\n`).join(''));
  const target = path.join(folder, `long-${minutes}.flac`);
  await run('ffmpeg', [
    '-v',
    'error',
    '-y',
    '-f',
    'concat',
    '-safe',
    '0',
    '-i',
    list,
    '-t',
    String(minutes * 60),
    target,
  ]);
  return target;
}
