import { PCM_SAMPLE_RATE_HZ } from '../transcriber/transcriber';
import type { VoiceEvent } from '../transcriber/voice-activity';

const SAMPLES_PER_MS = PCM_SAMPLE_RATE_HZ / 1_000;

/** Adds up how much of a recording sounds like a voice, and tells since when nobody speaks. */
export class SpeechMeter {
  /** The sample at which the present silence began; null while somebody speaks. */
  silentSince: number | null = 0;
  private begunAt = 0;
  private spokenMs = 0;

  take(event: VoiceEvent): void {
    if (event.type === 'begin') {
      this.begunAt = event.atSample;
      this.silentSince = null;
    } else if (event.type === 'end') {
      this.silentSince = event.atSample - event.silentMs * SAMPLES_PER_MS;
      this.spokenMs += Math.max(0, this.silentSince - this.begunAt) / SAMPLES_PER_MS;
    }
  }

  /** Milliseconds of voice in the utterances that have ended since the last call. */
  drain(): number {
    const spokenMs = Math.round(this.spokenMs);
    this.spokenMs = 0;
    return spokenMs;
  }
}
