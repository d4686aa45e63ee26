import { DecoderFailedError } from './media-problem';
import { spawnGuarded, type GuardedOptions, type ProgramEnd } from './spawn-guarded';

export interface RunOptions extends GuardedOptions {
  /** How long it may take; milliseconds. */
  timeoutMs: number;
  /** Most bytes it may write to its standard output. */
  maxOutputBytes: number;
}

export interface ProgramRun extends ProgramEnd {
  exitCode: number;
  stdout: Buffer;
}

/**
 * Runs a program under the guards of {@link spawnGuarded} to its end and answers what it wrote. Throws
 * DecoderFailedError when it took too long, wrote too much or was stopped from outside, EngineUnavailableError (not installed), or the
 * signal's reason.
 */
export async function runGuarded(
  program: string,
  parameters: readonly string[],
  options: RunOptions,
): Promise<ProgramRun> {
  const { signal, timeoutMs, maxOutputBytes } = options;
  signal.throwIfAborted();
  await using running = spawnGuarded(program, parameters, options);
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    running.kill();
  }, timeoutMs);
  try {
    const stdout = await collect(running.stdout, maxOutputBytes);
    const { exitCode, stderr } = await running.ended;
    signal.throwIfAborted();
    if (stdout === null) throw new DecoderFailedError(`${program} wrote more than ${maxOutputBytes} bytes.`);
    if (isLate) throw new DecoderFailedError(`${program} did not finish within ${timeoutMs} ms.`);
    if (exitCode === null) throw new DecoderFailedError(`${program} was stopped before it had finished: ${stderr}`);
    return { exitCode, stdout, stderr };
  } finally {
    clearTimeout(timer);
  }

  async function collect(output: AsyncIterable<Buffer>, limit: number): Promise<Buffer | null> {
    const parts: Buffer[] = [];
    let bytes = 0;
    for await (const part of output) {
      bytes += part.length;
      if (bytes > limit) {
        running.kill();
        return null;
      }
      parts.push(part);
    }
    return Buffer.concat(parts);
  }
}
