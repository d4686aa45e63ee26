import type { VoiceState } from '../../transcriber/voice-activity';
import { emptyCheckpoint, type Checkpoint } from '../../transcription/checkpoint';

/** From where another worker goes on with a session: everything before it is final. */
export interface LiveCheckpoint {
  /** Rows of audio up to this one, flushes among them, are done with. */
  row: number;
  /** Where the voice detector stands; null: at the beginning. */
  voice: VoiceState | null;
  /** What the decoder's next utterance depends on; null: nothing. */
  decoder: unknown;
  /** What has been heard so far; `segmentCount` is the position of the next segment. */
  total: Checkpoint;
}

/** Where a session begins, or goes on. Only the run of a session writes the column. */
export function checkpointOf(stored: unknown, engine: string): LiveCheckpoint {
  return (stored as LiveCheckpoint | null) ?? { row: 0, voice: null, decoder: null, total: emptyCheckpoint(engine) };
}

/** The first sample of 16 kHz that has to be heard from there on. */
export function firstSample({ voice }: LiveCheckpoint): number {
  return voice?.keptFromSample ?? 0;
}
