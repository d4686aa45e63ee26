import { orAborted } from '../../../../platform/or-aborted';
import { PCM_SAMPLE_RATE_HZ } from '../transcriber';
import { joinedSamples } from '../joined-samples';
import type { VoiceEvent } from '../voice-activity';
import type { DecoderProcess } from './decoder-process';
import type { Token } from './text';

/** What is sent to the decoder at a time; the decoder itself is given tenths of a second. */
const SEND_SAMPLES = PCM_SAMPLE_RATE_HZ;
/** The decoder needs to hear an end: tried with shorter silences, the last word was often wrong. */
export const TRAILING_SILENCE_MS = 300;
/** How much of the first voice tells the sound of a recording. */
const TUNING_SAMPLES = PCM_SAMPLE_RATE_HZ * 5;
const MS_PER_FRAME = 10;

/**
 * Passes one utterance after the other through the decoder and puts its words at their place in the media. The decoder's
 * estimates depend a little on how the audio is cut, so it is cut the same way whatever sizes arrive: the same recording
 * gives the same result.
 */
export class UtteranceRecognizer {
  #beginMs = 0;
  /** The beginning of the first utterance, until there is enough of it to tune in. */
  #voice: Int16Array[] | null = [];
  #batch = new Int16Array(SEND_SAMPLES);
  #batchSamples = 0;

  constructor(
    private readonly decoder: DecoderProcess,
    private readonly call: { startMs: number; signal: AbortSignal },
  ) {}

  /** Resolves with the tokens of an utterance at its end, otherwise with null. */
  async take(event: VoiceEvent): Promise<Token[] | null> {
    if (event.type === 'begin') {
      this.#beginMs = this.call.startMs + toMs(event.atSample);
      if (!this.#voice) await orAborted(this.decoder.beginUtterance(), this.call.signal);
      return null;
    }
    if (event.type === 'audio') {
      await this.#hear(event.samples);
      return null;
    }
    await this.#tuneIn();
    await this.#feed(new Int16Array(Math.max(0, TRAILING_SILENCE_MS - event.silentMs) * (PCM_SAMPLE_RATE_HZ / 1_000)));
    await this.#feedBatch();
    return this.#finish(this.call.startMs + toMs(event.atSample));
  }

  async #hear(samples: Int16Array): Promise<void> {
    if (!this.#voice) return this.#feed(samples);
    this.#voice.push(samples);
    if (lengthOf(this.#voice) >= TUNING_SAMPLES) await this.#tuneIn();
  }

  /** Begins the first utterance once its sound is known. */
  async #tuneIn(): Promise<void> {
    const voice = this.#voice;
    if (!voice) return;
    this.#voice = null;
    const pcm = joinedSamples(voice);
    await orAborted(this.decoder.tuneIn(pcm.slice(0, TUNING_SAMPLES)), this.call.signal);
    await orAborted(this.decoder.beginUtterance(), this.call.signal);
    await this.#feed(pcm);
  }

  async #feed(samples: Int16Array): Promise<void> {
    for (let from = 0; from < samples.length;) {
      const part = samples.subarray(from, from + SEND_SAMPLES - this.#batchSamples);
      this.#batch.set(part, this.#batchSamples);
      this.#batchSamples += part.length;
      from += part.length;
      if (this.#batchSamples === SEND_SAMPLES) await this.#feedBatch();
    }
  }

  async #feedBatch(): Promise<void> {
    const pcm = this.#batch.slice(0, this.#batchSamples);
    this.#batchSamples = 0;
    if (pcm.length > 0) await orAborted(this.decoder.feed(pcm), this.call.signal);
  }

  /** Words end with the utterance at the latest: the silence added behind it is not part of the media. */
  async #finish(endMs: number): Promise<Token[]> {
    const heard = await orAborted(this.decoder.finishUtterance(), this.call.signal);
    const place = (frame: number) => Math.min(this.#beginMs + frame * MS_PER_FRAME, endMs);
    return heard.map(({ text, startFrame, endFrame, confidence }) => ({
      text,
      confidence,
      startMs: place(startFrame),
      endMs: place(endFrame),
    }));
  }
}

/** Utterances begin on whole frames; only the very last sample of a recording may lie between two milliseconds. */
function toMs(samples: number): number {
  return Math.ceil(samples / (PCM_SAMPLE_RATE_HZ / 1_000));
}

function lengthOf(parts: readonly Int16Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}
