import type { Growth, PlacedSegment } from '../transcription/transcript-growth';
import type { TranscriptChange } from '../transcription/growth-records';

/**
 * Takes what is heard in the place of a transcript, which stays as it is until all has been heard. It is kept in memory (a
 * few hundred bytes a second of speech), so another attempt begins again.
 */
export class HeardSegments implements Growth {
  private segments: PlacedSegment[] = [];

  /** In the order of the recording. */
  get all(): readonly PlacedSegment[] {
    return this.segments;
  }

  /** Corrections stay whichever engine hears the rest. */
  async isCorrected(): Promise<boolean> {
    return false;
  }

  /** An engine that begins has not heard anything. */
  async change(_tx: unknown, { engine }: TranscriptChange): Promise<void> {
    if (engine !== undefined) this.segments = [];
  }

  async put(_tx: unknown, heard: readonly PlacedSegment[]): Promise<void> {
    for (const segment of heard) this.segments[segment.index] = segment;
  }
}
