const NOTHING = new Uint8Array(0);

/** Audio that was given and is not acknowledged, as chunks that are counted from 1. */
export class LiveBacklog {
  /** Bytes that are no whole chunk yet. */
  private rest: Uint8Array = NOTHING;
  /** Chunks behind the last acknowledged one. */
  private readonly kept: Uint8Array[] = [];
  private bytes = 0;
  private forgotten = 0;

  /** Chunks of this many bytes; what is cut off before they are full has whole units (samples) of `unit` bytes. */
  constructor(
    private readonly chunkBytes: number,
    private readonly unit: number,
  ) {}

  /** Of all chunks that are kept. */
  get keptBytes(): number {
    return this.bytes;
  }

  /** Number of the last chunk that is acknowledged. */
  get acknowledged(): number {
    return this.forgotten;
  }

  /** Number of the last chunk there is. */
  get last(): number {
    return this.forgotten + this.kept.length;
  }

  /** One that is not acknowledged. */
  chunk(number: number): Uint8Array {
    return this.kept[number - this.forgotten - 1]!;
  }

  /** Makes whole chunks of what has come; with `isAll` a last one of what is left. Half a unit waits for its other half. */
  add(bytes: Uint8Array, isAll: boolean): void {
    let rest = this.rest.length === 0 ? bytes : joined(this.rest, bytes);
    const least = isAll ? this.unit : this.chunkBytes;
    while (rest.length >= least) {
      const length = Math.min(this.chunkBytes, rest.length - (rest.length % this.unit));
      this.kept.push(rest.slice(0, length));
      this.bytes += length;
      rest = rest.subarray(length);
    }
    this.rest = rest.slice();
  }

  /** Cuts off what is no whole chunk yet. */
  cut(): void {
    this.add(NOTHING, true);
  }

  /** Lets go of everything up to this chunk. */
  forget(number: number): void {
    while (this.forgotten < number && this.kept.length > 0) {
      this.bytes -= this.kept.shift()!.length;
      this.forgotten++;
    }
  }
}

function joined(left: Uint8Array, right: Uint8Array): Uint8Array {
  const both = new Uint8Array(left.length + right.length);
  both.set(left);
  both.set(right, left.length);
  return both;
}
