import { orAborted } from '../../../../platform/or-aborted';
import { PCM_SAMPLE_RATE_HZ } from '../transcriber';
import { VoiceActivity, type VoiceEvent } from '../voice-activity';
import type { SherpaProcess } from './sherpa-process';

/** A stretch of speech; `startMs` counts from the first sample of the recording. */
export interface Utterance {
  startMs: number;
  samples: Int16Array | Float32Array;
}

/** Cuts audio into utterances with our own detector, see {@link VoiceActivity}: at most 20 s each. */
export async function* utterancesByLoudness(pcm: AsyncIterable<Int16Array>): AsyncGenerator<Utterance> {
  const voice = new VoiceActivity();
  const ended = new EndedUtterances();
  for await (const samples of pcm) yield* ended.after(voice.push(samples));
  yield* ended.after(voice.finish());
}

/** Cuts audio into utterances with the Silero model of the process. */
export async function* utterancesByModel(
  sherpa: SherpaProcess,
  pcm: AsyncIterable<Int16Array>,
  signal: AbortSignal,
): AsyncGenerator<Utterance> {
  for await (const samples of pcm) yield* await orAborted(sherpa.find(samples, false), signal);
  yield* await orAborted(sherpa.find(new Int16Array(0), true), signal);
}

class EndedUtterances {
  #startMs = 0;
  #parts: Int16Array[] = [];

  *after(events: readonly VoiceEvent[]): Generator<Utterance> {
    for (const event of events) {
      if (event.type === 'begin') this.#startMs = event.atSample / (PCM_SAMPLE_RATE_HZ / 1_000);
      else if (event.type === 'audio') this.#parts.push(event.samples);
      else yield { startMs: this.#startMs, samples: joined(this.#parts.splice(0)) };
    }
  }
}

function joined(parts: readonly Int16Array[]): Int16Array {
  const whole = new Int16Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
