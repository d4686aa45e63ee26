import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { buildGoldenSpeech } from '../../platform/testing/golden-speech';

/** The golden recording made into another WAV file of 16 kHz by ffmpeg with these options before and behind its input. */
async function goldenSpeechWith(before: string[], behind: string[]): Promise<Buffer> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'sauti-speech-'));
  try {
    const [golden, made] = [path.join(folder, 'golden.wav'), path.join(folder, 'made.wav')];
    await buildGoldenSpeech(golden);
    await promisify(execFile)('ffmpeg', ['-v', 'error', ...before, '-i', golden, ...behind, '-c', 'copy', made]);
    return await readFile(made);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** 72 s: long enough to be heard in several pieces. */
export function longSpeech(): Promise<Buffer> {
  return goldenSpeechWith(['-stream_loop', '1'], []);
}

/** The first 4 s of the golden recording, with this title in its tags. */
export function shortSpeech(title = 'short'): Promise<Buffer> {
  return goldenSpeechWith([], ['-t', '4', '-metadata', `title=${title}`]);
}
