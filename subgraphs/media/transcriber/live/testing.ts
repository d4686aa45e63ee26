import type { HeardUtterance, LiveDecoder } from './live-decoder';
import { joinedSamples } from '../joined-samples';
import { VoiceActivity } from '../voice-activity';

/** What the voice detector finds in a recording. */
export interface SpokenUtterance {
  startMs: number;
  samples: Int16Array;
  silentMs: number;
}

const SAMPLES_PER_MS = 16;

export function spokenIn(pcm: Int16Array): SpokenUtterance[] {
  const voice = new VoiceActivity();
  const found: SpokenUtterance[] = [];
  let startMs = 0;
  const parts: Int16Array[] = [];
  for (const event of [...voice.push(pcm), ...voice.finish()]) {
    if (event.type === 'begin') startMs = event.atSample / SAMPLES_PER_MS;
    else if (event.type === 'audio') parts.push(event.samples);
    else found.push({ startMs, samples: joinedSamples(parts.splice(0)), silentMs: event.silentMs });
  }
  return found;
}

/** Hears one utterance, given in parts of `chunkMs`: every guess, then what was really said. */
export async function hearLive(
  decoder: LiveDecoder,
  { samples, silentMs }: SpokenUtterance,
  chunkMs = 100,
): Promise<{ guesses: HeardUtterance[]; final: HeardUtterance }> {
  const guesses: HeardUtterance[] = [];
  await decoder.begin();
  for (let from = 0; from < samples.length; from += chunkMs * SAMPLES_PER_MS) {
    const guess = await decoder.feed(samples.slice(from, from + chunkMs * SAMPLES_PER_MS));
    if (guess) guesses.push(guess);
  }
  return { guesses, final: await decoder.finish(silentMs) };
}

export function textOf({ words }: HeardUtterance): string {
  return words.map(({ text }) => text).join(' ');
}
