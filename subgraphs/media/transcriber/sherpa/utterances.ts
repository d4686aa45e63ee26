import { orAborted } from '../../../../platform/or-aborted';
import { joinedSamples } from '../joined-samples';
import { PCM_SAMPLE_RATE_HZ } from '../transcriber';
import { voiceEvents } from '../voice-activity';
import type { SherpaProcess } from './sherpa-process';

/** A stretch of speech; `startMs` counts from the first sample of the recording. */
export interface Utterance {
  startMs: number;
  samples: Int16Array | Float32Array;
}

/** Cuts audio into utterances with our own detector, see {@link voiceEvents}: at most 20 s each. */
export async function* utterancesByLoudness(pcm: AsyncIterable<Int16Array>): AsyncGenerator<Utterance> {
  let startMs = 0;
  const parts: Int16Array[] = [];
  for await (const event of voiceEvents(pcm)) {
    if (event.type === 'begin') startMs = event.atSample / (PCM_SAMPLE_RATE_HZ / 1_000);
    else if (event.type === 'audio') parts.push(event.samples);
    else yield { startMs, samples: joinedSamples(parts.splice(0)) };
  }
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
