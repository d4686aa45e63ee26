/** Of the sound that is sent: 16 bit, mono. */
export const SAMPLE_RATE_HZ = 16_000;
const BYTES_PER_MS = (2 * SAMPLE_RATE_HZ) / 1_000;

/** Tells how long words take: from the moment the sound of their end was there until they arrive. */
export class Pace {
  /** When how much of the sound had come; milliseconds both. */
  private readonly came: { positionMs: number; at: number }[] = [];
  private positionMs = 0;
  private readonly words = new Map<string, number>();
  private readonly wordLags: number[] = [];
  private readonly finalLags: number[] = [];

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** The same sound, which is looked at as it passes. */
  async *watch(sound: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
    for await (const bytes of sound) {
      this.positionMs += bytes.length / BYTES_PER_MS;
      this.came.push({ positionMs: this.positionMs, at: this.now() });
      yield bytes;
    }
  }

  /** A new revision of a segment has arrived. */
  arrived({ id, text, endMs, state }: { id: string; text: string; endMs: number; state: string }): void {
    const lag = this.now() - this.cameAt(endMs);
    const count = text.split(' ').filter(Boolean).length;
    if (count > (this.words.get(id) ?? 0)) this.wordLags.push(lag);
    this.words.set(id, count);
    if (state === 'FINAL' && text) this.finalLags.push(lag);
  }

  /** In one sentence; empty when nothing was said. */
  summary(): string {
    if (this.finalLags.length === 0) return '';
    const words = [...this.words.values()].reduce((sum, count) => sum + count, 0);
    const perSecond = (words / (this.positionMs / 1_000)).toFixed(1);
    const [median, most, last] = [at(this.wordLags, 0.5), at(this.wordLags, 0.9), at(this.finalLags, 0.5)];
    return (
      `${words} words in ${seconds(this.positionMs)}, ${perSecond} a second. New words came ${seconds(median)} after they were ` +
      `said (nine in ten within ${seconds(most)}), whole captions ${seconds(last)} after their last word.`
    );
  }

  private cameAt(positionMs: number): number {
    return (this.came.find((each) => each.positionMs >= positionMs) ?? this.came.at(-1))?.at ?? this.now();
  }
}

function at(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 0)} s`;
}
