import { PCM_SAMPLE_RATE_HZ } from '../transcriber/transcriber';
import { VoiceActivity } from '../transcriber/voice-activity';
import { SpeechMeter } from './speech-meter';

/** Measures audio on its way to an engine, which takes it only as fast as it recognizes. */
export class HeardAudio {
  private samples = 0;
  private readonly voice = new VoiceActivity();
  private readonly meter = new SpeechMeter();

  constructor(
    private readonly source: AsyncIterable<Int16Array>,
    private readonly changed: () => void,
  ) {}

  /** Milliseconds of audio taken so far. */
  get heardMs(): number {
    return Math.round((this.samples * 1_000) / PCM_SAMPLE_RATE_HZ);
  }

  /** Milliseconds of it that sounded like a voice; to be asked once, at the end. */
  spokenMs(): number {
    this.voice.finish().forEach((event) => this.meter.take(event));
    return this.meter.drain();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Int16Array, void, undefined> {
    for await (const samples of this.source) {
      yield samples;
      this.voice.push(samples).forEach((event) => this.meter.take(event));
      this.samples += samples.length;
      this.changed();
    }
  }
}
