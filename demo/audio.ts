import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { SAMPLE_RATE_HZ } from './pace';

/** Where ffmpeg finds a microphone: PulseAudio or PipeWire, ALSA, macOS. */
const MICROPHONES = [
  ['-f', 'pulse', '-i', 'default'],
  ['-f', 'alsa', '-i', 'default'],
  ['-f', 'avfoundation', '-i', ':default'],
];
/** A sound system that does not answer is none. */
const TRIAL_LIMIT_MS = 5_000;
const NO_FFMPEG = 'ffmpeg is missing. Install it: apt-get install ffmpeg';

/** What tells ffmpeg to read a file as slowly as it is spoken. Throws an Error with ffmpeg's words when it holds no sound. */
export async function inputOfFile(file: string): Promise<string[]> {
  const problem = await tryOut(['-i', file]);
  if (problem !== null) throw new Error(`The sound cannot be read: ${problem}`);
  return ['-re', '-i', file];
}

/** What tells ffmpeg to read the microphone; null where none can be read, which is found out by trying. */
export async function inputOfMicrophone(): Promise<string[] | null> {
  for (const input of MICROPHONES) {
    if ((await tryOut(input)) === null) return input;
  }
  return null;
}

/**
 * PCM of an input, 16 bit and mono at 16 kHz, as it comes. Ends when the input does or when the signal is aborted. Throws
 * an Error with ffmpeg's own words when it cannot be decoded.
 */
export async function* soundOf(input: readonly string[], signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
  const format = ['-vn', '-f', 's16le', '-ac', '1', '-ar', String(SAMPLE_RATE_HZ), '-flush_packets', '1', 'pipe:1'];
  const ffmpeg = start([...input, ...format], signal);
  for await (const bytes of ffmpeg.stdout) yield bytes as Buffer;
  const problem = await ffmpeg.ended;
  if (problem !== null && !signal.aborted) throw new Error(`The sound cannot be read: ${problem}`);
}

/** Reads the beginning of an input; resolves to what is wrong with it, or null. */
function tryOut(input: readonly string[]): Promise<string | null> {
  const trial = start(['-t', '0.1', ...input, '-vn', '-f', 'null', '-'], AbortSignal.timeout(TRIAL_LIMIT_MS));
  trial.stdout.resume();
  return trial.ended;
}

/** `ended` resolves to what went wrong, or null. Throws nothing but that ffmpeg is missing. */
function start(parameters: readonly string[], signal: AbortSignal) {
  const child = spawn('ffmpeg', ['-v', 'error', '-nostdin', ...parameters], { stdio: ['ignore', 'pipe', 'pipe'] });
  const stop = (): void => void child.kill();
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  let words = '';
  child.stderr.on('data', (piece: Buffer) => (words += piece.toString()));
  const ended = once(child, 'close').then(
    ([code]) => (signal.removeEventListener('abort', stop), code === 0 ? null : lastLine(words)),
    (error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? new Error(NO_FFMPEG, { cause: error }) : error;
    },
  );
  // Whoever reads the sound first looks at it later.
  ended.catch(() => {});
  return { stdout: child.stdout, ended };
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) || 'ffmpeg ended without a word.';
}
