import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pcmBytes } from '../wav';

const READ_BYTES = 64 * 1024;

/**
 * Audio that can be sent again, although its source gives it once: what was taken from the source is kept in a file without
 * a name, which ends with the process at the latest. Memory stays flat; the disk takes 115 MB for each hour.
 */
export class ReplayableAudio implements AsyncDisposable {
  readonly #source: AsyncIterator<Int16Array, unknown>;
  #keptBytes = 0;
  #isComplete = false;
  #failure: { error: unknown } | undefined;
  #taking: Promise<void> | undefined;

  static async open(pcm: AsyncIterable<Int16Array>): Promise<ReplayableAudio> {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'sauti-audio-'));
    try {
      return new ReplayableAudio(pcm, await open(path.join(folder, 'pcm'), 'wx+', 0o600));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  private constructor(
    pcm: AsyncIterable<Int16Array>,
    private readonly file: FileHandle,
  ) {
    this.#source = pcm[Symbol.asyncIterator]();
  }

  /** What the source threw, once it has. */
  get failure(): { error: unknown } | undefined {
    return this.#failure;
  }

  /** Bytes taken from the source so far: 32 for each millisecond. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** Takes the first samples; false when there are none. Throws what the source throws. */
  async begins(): Promise<boolean> {
    while (this.#keptBytes === 0 && !this.#isComplete) await this.#take();
    return this.#keptBytes > 0;
  }

  /** All of it from the beginning; may be called again, also before an earlier reading has ended. */
  async *bytes(): AsyncGenerator<Buffer, void, undefined> {
    let position = 0;
    for (;;) {
      while (position < this.#keptBytes) {
        const length = Math.min(READ_BYTES, this.#keptBytes - position);
        const { buffer, bytesRead } = await this.file.read(Buffer.alloc(length), 0, length, position);
        position += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
      if (this.#failure) throw this.#failure.error;
      if (this.#isComplete) return;
      await this.#take();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ending = this.#isComplete ? undefined : this.#source.return?.();
    // A source that never gives another sample must not keep us: its end is not waited for.
    void ending?.catch(() => {});
    await this.#taking?.catch(() => {});
    await this.file.close();
  }

  /** Two readers never pull at once: the second waits for what the first takes. */
  #take(): Promise<void> {
    this.#taking ??= this.#takeOne().finally(() => (this.#taking = undefined));
    return this.#taking;
  }

  async #takeOne(): Promise<void> {
    try {
      const taken = await this.#source.next();
      if (taken.done) this.#isComplete = true;
      else await this.#keep(pcmBytes(taken.value));
    } catch (error) {
      this.#isComplete = true;
      this.#failure = { error };
      throw error;
    }
  }

  async #keep(bytes: Buffer): Promise<void> {
    await this.file.write(bytes, 0, bytes.length, this.#keptBytes);
    this.#keptBytes += bytes.length;
  }
}
